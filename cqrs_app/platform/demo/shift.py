"""The guided shift: what newcomers try in the demo shop, ticked off from what they really did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, func, select

from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder, ShipOrder
from cqrs_app.areas.orders.events import OrderShipped
from cqrs_app.areas.payments.commands import RefundPayment
from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.messages.messages import Command, Query, query
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.store.tables import command_log, events, processes
from cqrs_app.kernel.subscriptions.presence import SILENT_AFTER, SWEEP
from cqrs_app.platform.approvals.events import ApprovalGranted
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.batches.commands import StartBatch
from cqrs_app.platform.demo.poison import NAME as POISONED
from cqrs_app.platform.demo.tables import demo_shop
from cqrs_app.platform.runtime.commands import SEE_COMMANDS, SkipParkedEvent
from cqrs_app.platform.runtime.projection_control import ProjectionControl

LOOKED_AT = 100
"""How many of somebody's latest commands of a type are looked at, where a step needs more than
that there was one."""
TOGETHER = SILENT_AFTER / 2
"""Processes that were last seen within this time of each other were lost by the same cause."""

_LOG = command_log.c
Found = datetime | None


@query(label="Guided shift", permission=SEE_COMMANDS, store="write")
class GuidedShift(Query):
    """When an operator did each step of the guided shift; nothing if this is no demo shop."""

    operator: Annotated[str, NormalForm(str.casefold), Meta(title="Operator", max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsDone:
    """When each step was first done, in UTC; None if it was not. Newcomers' jobs come first, then
    what they broke: `worker` is when one was lost that was replaced, whoever ended it."""

    find: Found
    approve: Found
    ship: Found
    refund: Found
    bulk: Found
    conflict: Found
    poison: Found
    worker: Found


def guided_shift(question: GuidedShift, connection: Connection) -> StepsDone | None:
    if connection.execute(select(demo_shop.c.id)).first() is None:
        return None
    operator = question.operator
    return StepsDone(
        find=_carried_out(AddOrderNote, operator, connection),
        approve=_carried_out(ApproveOrder, operator, connection),
        ship=_shipped_in_part(operator, connection),
        refund=_refund_signed(operator, connection),
        bulk=_carried_out(StartBatch, operator, connection),
        conflict=_conflict_met(operator, connection),
        poison=_poison_skipped(operator, connection),
        worker=_worker_replaced(connection, datetime.now(UTC)),
    )


def _first(operator: str, connection: Connection, *wanted: ColumnElement[bool]) -> Found:
    found = select(func.min(_LOG.received_at)).where(_LOG.operator == operator, *wanted)
    at: Found = connection.execute(found).scalar_one()
    return at


def _carried_out(command: type[Command], operator: str, connection: Connection) -> Found:
    wanted = (_LOG.type == command.__name__, _LOG.outcome == "succeeded")
    return _first(operator, connection, *wanted)


def _shipped_in_part(operator: str, connection: Connection) -> Found:
    latest = (
        select(_LOG.stream, _LOG.command_id)
        .where(
            _LOG.operator == operator,
            _LOG.type == ShipOrder.__name__,
            _LOG.outcome == "succeeded",
        )
        .order_by(_LOG.received_at.desc())
        .limit(LOOKED_AT)
    )
    sent = {command_id: stream for stream, command_id in connection.execute(latest)}
    shipped = select(events.c.payload, events.c.recorded_at).where(
        events.c.stream.in_(set(sent.values())),
        events.c.command_id.in_(sent),
        events.c.type == OrderShipped.__name__,
    )
    return min(
        (at for payload, at in connection.execute(shipped) if not _is_complete(payload)),
        default=None,
    )


def _is_complete(payload: str) -> bool:
    return bool(msgspec.json.decode(payload)["complete"])


def _refund_signed(operator: str, connection: Connection) -> Found:
    latest = (
        select(_LOG.command_id)
        .where(
            _LOG.operator == operator,
            _LOG.type == RefundPayment.__name__,
            _LOG.outcome == "requested",
        )
        .order_by(_LOG.received_at.desc())
        .limit(LOOKED_AT)
    )
    requests = [
        f"{ApprovalRequest.category}-{request_id_of(each)}"
        for each in connection.execute(latest).scalars()
    ]
    granted = select(func.min(events.c.recorded_at)).where(
        events.c.stream.in_(requests), events.c.type == ApprovalGranted.__name__
    )
    at: Found = connection.execute(granted).scalar_one()
    return at


def _poison_skipped(operator: str, connection: Connection) -> Found:
    return _first(
        operator,
        connection,
        _LOG.type == SkipParkedEvent.__name__,
        _LOG.stream == f"{ProjectionControl.category}-{POISONED}",
        _LOG.outcome == "succeeded",
    )


def _conflict_met(operator: str, connection: Connection) -> Found:
    return _first(
        operator, connection, _LOG.outcome == "refused", _LOG.code == VersionConflict.code
    )


def _worker_replaced(connection: Connection, now: datetime) -> Found:
    """When a worker ended without saying so, if another was started since. One that was lost
    together with the sweep does not count: somebody has killed the whole console."""
    columns = processes.c
    seen = connection.execute(select(columns.kind, columns.started_at, columns.seen_at)).all()
    sweeps = [each.seen_at for each in seen if each.kind == SWEEP]
    workers = [each for each in seen if each.kind != SWEEP]
    lost = [
        each.seen_at
        for each in workers
        if each.seen_at <= now - SILENT_AFTER
        and not any(abs(each.seen_at - at) < TOGETHER for at in sweeps)
    ]
    first = min(lost, default=None)
    running = (each.started_at for each in workers if each.seen_at > now - SILENT_AFTER)
    return first if first and any(at > first for at in running) else None
