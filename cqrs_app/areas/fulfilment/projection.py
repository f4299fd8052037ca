"""Every order's way: where it stands, and the steps that led there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment.read_models import fulfilment_steps, fulfilment_tasks, fulfilments
from cqrs_app.areas.fulfilment.tasks import told
from cqrs_app.areas.fulfilment.words import OVER, Stage, Step
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Key, Rows


class FulfilmentProjection(Projection):
    """One row per order, one per step. A task's end is written on its own step."""

    name: ClassVar[str] = "fulfilment"
    tables: ClassVar[tuple[Table, ...]] = (fulfilments, fulfilment_steps, fulfilment_tasks)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield fulfilments, (event.order_id,)
        if isinstance(event, was.FulfilmentTaskEnded):
            yield fulfilment_tasks, (event.order_id, event.task_no)

    def fulfilment_begun(self, event: was.FulfilmentBegun, recorded: Recorded, rows: Rows) -> None:
        units = sum(line.quantity for line in event.lines)
        total = f"{event.currency} {event.total.normalize():f}"
        _step(rows, recorded, "Begun", f"{len(event.lines):,} lines, {units:,} units, {total}")

    def fulfilment_order_noted(
        self, event: was.FulfilmentOrderNoted, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, _words(event.fact), f"By {event.by}")

    def fulfilment_payment_noted(
        self, event: was.FulfilmentPaymentNoted, recorded: Recorded, rows: Rows
    ) -> None:
        amount = f"{event.currency} {event.amount.normalize():f}" if event.amount else ""
        told = (event.payment_id, amount, event.sentence)
        _step(rows, recorded, _words(event.fact), " · ".join(filter(None, told)))

    def fulfilment_stock_noted(
        self, event: was.FulfilmentStockNoted, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, "There may be stock again", event.sku)

    def fulfilment_task_sent(
        self, event: was.FulfilmentTaskSent, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, _words(event.task), _about(event), outcome="sent")
        rows.put(
            fulfilment_tasks,
            order_id=event.order_id,
            task_no=event.task_no,
            version=recorded.version,
        )

    def fulfilment_task_ended(
        self, event: was.FulfilmentTaskEnded, recorded: Recorded, rows: Rows
    ) -> None:
        sent = rows.get(fulfilment_tasks, event.order_id, event.task_no)
        if sent is None:
            raise LookupError(f"task {event.task_no} of order {event.order_id} was never sent")
        step = rows.change(fulfilment_steps, event.order_id, sent["version"])
        step["outcome"], step["ended_at"] = event.outcome, recorded.occurred_at
        if event.sentence:
            step["text"] = f"{step['text']} · {event.sentence}"
        _applied(rows, event.order_id, recorded)

    def fulfilment_moved(self, event: was.FulfilmentMoved, recorded: Recorded, rows: Rows) -> None:
        at = recorded.occurred_at
        row = rows.get(fulfilments, event.order_id)
        same = row is not None and row["stage"] == event.stage
        rows.put(
            fulfilments,
            order_id=event.order_id,
            stage=event.stage,
            sentence=event.sentence,
            late=event.late,
            over=event.stage in OVER,
            began_at=row["began_at"] if row else at,
            since=row["since"] if row and same else at,
            due_at=None if event.within is None else at + timedelta(seconds=event.within),
            applied_version=recorded.version,
        )
        if not same:
            _step(rows, recorded, Stage(event.stage).label, event.sentence)

    def fulfilment_deadline_passed(
        self, event: was.FulfilmentDeadlinePassed, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, "Time is up", "")

    def fulfilment_retried(
        self, event: was.FulfilmentRetried, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, "Tried again", "")

    def fulfilment_step_skipped(
        self, event: was.FulfilmentStepSkipped, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, f"{Step(event.step).label} skipped", event.reason)

    def fulfilment_cancelled(
        self, event: was.FulfilmentCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        _step(rows, recorded, "To be cancelled", event.reason)


def _step(rows: Rows, recorded: Recorded, what: str, text: str, outcome: str = "") -> None:
    event: Any = recorded.event
    rows.put(
        fulfilment_steps,
        order_id=event.order_id,
        version=recorded.version,
        at=recorded.occurred_at,
        operator=recorded.stored.operator,
        what=what,
        text=text,
        outcome=outcome,
        ended_at=None,
        command_id=recorded.stored.command_id,
    )
    _applied(rows, event.order_id, recorded)


def _applied(rows: Rows, order_id: str, recorded: Recorded) -> None:
    if rows.get(fulfilments, order_id) is not None:
        rows.change(fulfilments, order_id)["applied_version"] = recorded.version


def _about(event: was.FulfilmentTaskSent) -> str:
    fields = told(event.arguments)
    subject = "" if event.subject == event.order_id else event.subject
    units = f"{fields['quantity']} of" if "quantity" in fields else ""
    amount = fields.get("amount", "")
    return " ".join(filter(None, (units, subject, fields.get("currency", ""), amount)))


def _words(name: str) -> str:
    """PaymentCaptured -> Payment captured."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()
