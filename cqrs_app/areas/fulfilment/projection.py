"""Every order's stage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment.tables import fulfilments
from cqrs_app.areas.fulfilment.types import OVER
from cqrs_app.kernel import Key, Projection, Recorded, Rows


class FulfilmentProjection(Projection):
    """One row per order that has a stage."""

    name: ClassVar[str] = "fulfilment"
    tables: ClassVar[tuple[Table, ...]] = (fulfilments,)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield fulfilments, (event.order_id,)

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

    def _applied(self, event: Any, recorded: Recorded, rows: Rows) -> None:
        """The row includes every event up to this one."""
        if rows.get(fulfilments, event.order_id) is not None:
            rows.change(fulfilments, event.order_id)["applied_version"] = recorded.version

    fulfilment_retried = fulfilment_step_skipped = fulfilment_cancelled = _applied
    fulfilment_begun = fulfilment_order_noted = fulfilment_payment_noted = _applied
    fulfilment_stock_noted = fulfilment_task_sent = fulfilment_task_ended = _applied
    fulfilment_deadline_passed = _applied
