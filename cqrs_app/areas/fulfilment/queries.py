"""Queries about fulfilment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, func, select

from cqrs_app.areas.fulfilment.commands import (
    VIEW,
    CancelFulfilment,
    RetryFulfilment,
    SkipFulfilmentStep,
)
from cqrs_app.areas.fulfilment.decisions import not_cancellable, not_open, not_released
from cqrs_app.areas.fulfilment.inputs import STARTED
from cqrs_app.areas.fulfilment.process import NOTHING, FulfilmentProcess
from cqrs_app.areas.fulfilment.stages import waits_for
from cqrs_app.areas.fulfilment.store import process_of, read_process, read_processes
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.tables import (
    fulfilment_history,
    fulfilment_outbox,
    fulfilment_wants,
    fulfilments,
)
from cqrs_app.areas.fulfilment.types import ATTENTION, Stage, Step
from cqrs_app.areas.fulfilment.update import stream_of
from cqrs_app.areas.types import OrderId, Sku, WaitsFor
from cqrs_app.kernel import Count, Limit, ListQuery, Page, Query, Sort, query
from cqrs_app.kernel.effects import cursors_in, head_of, lag_after, streams

MOST_STEPS = 500
TO_RETRY = frozenset({Stage.OUT_OF_STOCK, Stage.PAYMENT_RETRY, Stage.UNPAID, Stage.STUCK})
BY_ITSELF = frozenset({Stage.RESERVING, Stage.PAUSED})
"""Stages at which a retry helps, and at which there is nothing to skip."""

_ROW, _HISTORY, _OUTBOX = fulfilments.c, fulfilment_history.c, fulfilment_outbox.c
SORTS = MappingProxyType({"since": Sort((_ROW.since, _ROW.order_id), datetime)})


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentRow:
    """The stage of one order; times in UTC. `due_at` is None if there is no limit, or if the stage
    is late already.
    """

    order_id: str
    stage: Stage
    sentence: str
    late: bool
    began_at: datetime
    since: datetime
    due_at: datetime | None
    applied_version: int


_COLUMNS = [_ROW[name] for name in FulfilmentRow.__annotations__]


@query(label="Orders on their way", permission=VIEW, reads=("fulfilment",), cached=True)
class ListFulfilments(ListQuery):
    """One page of the orders in fulfilment, longest at their stage first. `show` selects those that
    are not finished, those that need attention (late, stuck, out of stock, unpaid), or all there
    ever were.
    """

    sorts = SORTS
    show: Literal["open", "attention", "all"] = "open"
    stage: Annotated[Stage | None, Meta(title="Step")] = None
    sort: Literal["since"] = "since"
    descending: bool = False
    count: Count = False


def list_fulfilments(question: ListFulfilments, connection: Connection) -> Page[FulfilmentRow]:
    found = select(*_COLUMNS).where(*_conditions(question))
    return question.page(found, connection, _row)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """How many orders are at a step, how many of them late, and since when the oldest."""

    stage: Stage
    orders: int
    late: int
    since: datetime


@query(label="Fulfilment by step", permission=VIEW, reads=("fulfilment",), cached=True)
class FulfilmentStages(Query):
    """How many orders are at each step that is not the last."""


def fulfilment_stages(question: FulfilmentStages, connection: Connection) -> tuple[StageCount, ...]:
    late = func.count().filter(_ROW.late.is_(True))
    found = (
        select(_ROW.stage, func.count().label("orders"), late.label("late"), func.min(_ROW.since))
        .where(_ROW.over.is_(False))
        .group_by(_ROW.stage)
    )
    counts = {row.stage: row for row in connection.execute(found)}
    return tuple(
        StageCount(stage=stage, orders=row.orders, late=row.late, since=row[3])
        for stage in Stage
        if (row := counts.get(stage)) is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorTask:
    """An action for a supervisor; `step` is what would be skipped."""

    command: str
    label: str
    step: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentView:
    """One order's fulfilment now. `waits_for` is who has to act. `unpaid` is what is still to be
    paid, in the order's `currency`, and `charging` whether it is being charged; `not_released` says
    why the order may not ship, and is empty if it may.
    """

    order_id: str
    stage: Stage
    sentence: str
    late: bool
    waits_for: WaitsFor
    unpaid: Decimal
    currency: str
    charging: bool
    not_released: str
    offers: tuple[SupervisorTask, ...]
    version: int


@query(label="An order on its way", permission=VIEW, store="write")
class GetFulfilment(Query):
    """The fulfilment of one order now, with the actions allowed on it; None if fulfilment does not
    handle it.
    """

    order_id: OrderId


def get_fulfilment(question: GetFulfilment, connection: Connection) -> FulfilmentView | None:
    process = process_of(connection, question.order_id)
    status = process.status
    if not status.stage:
        return None
    version = select(streams.c.version).where(streams.c.stream == stream_of(question.order_id))
    refusal = not_released(process)
    return FulfilmentView(
        order_id=question.order_id,
        stage=Stage(status.stage),
        sentence=status.sentence,
        late=status.late,
        waits_for=waits_for(process),
        unpaid=max(process.owed - process.received, NOTHING),
        currency=process.currency,
        charging=process.is_charging,
        not_released=refusal.sentence if refusal else "",
        offers=tuple(_offers(process)),
        version=connection.execute(version).scalar() or 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of the order; `version` counts them. `outcome` is a command's: sent, done, refused,
    failed.
    """

    version: int
    at: datetime
    operator: str
    what: str
    text: str
    outcome: str
    ended_at: datetime | None
    command_id: str


_STEP_FIELDS = ("step", *(name for name in StepView.__annotations__ if name != "version"))


@query(label="An order's steps", permission=VIEW, store="write")
class GetFulfilmentSteps(Query):
    """The steps of one order, newest first."""

    order_id: OrderId


def get_fulfilment_steps(
    question: GetFulfilmentSteps, connection: Connection
) -> tuple[StepView, ...]:
    stored = (
        select(*(_HISTORY[name] for name in _STEP_FIELDS))
        .where(_HISTORY.order_id == question.order_id)
        .order_by(_HISTORY.step.desc())
        .limit(MOST_STEPS)
    )
    # Steps that only events hold, and no row yet, come last in time and so first here.
    ahead = reversed(read_process(connection, question.order_id).steps.values())
    rows = [*ahead, *connection.execute(stored).mappings()][:MOST_STEPS]
    return tuple(
        _worded(StepView(version=row["step"], **{name: row[name] for name in _STEP_FIELDS[1:]}))
        for row in rows
    )


def _worded(step: StepView) -> StepView:
    """The first step of an order was stored as "Begun", with "1 lines, 1 units"."""
    if step.what != "Begun":
        return step
    return replace(step, what=STARTED, text=re.sub(r"\b1 (line|unit)s\b", r"1 \1", step.text))


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits for a product, and how many units it needs."""

    order_id: str
    units: int


@query(label="Orders waiting for a product", permission=VIEW, store="write")
class OrdersWaitingFor(Query):
    """The orders waiting for stock of a product, first in line first."""

    sku: Sku
    limit: Limit = 25


def orders_waiting_for(
    question: OrdersWaitingFor, connection: Connection
) -> tuple[WaitingOrder, ...]:
    columns = fulfilment_wants.c
    found = (
        select(columns.order_id)
        .where(columns.sku == question.sku)
        .order_by(columns.position)
        .limit(question.limit)
    )
    order_ids = list(connection.execute(found).scalars())
    processes = read_processes(connection, order_ids)
    return tuple(
        WaitingOrder(order_id, goods.wanted - goods.sent)
        for order_id in order_ids
        if (goods := processes[order_id].process.goods.get(question.sku))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How far fulfilment has followed the log. `behind` counts unprocessed events and commands
    without an outcome; `waiting_since` is when the first of them was recorded.
    """

    position: int
    behind: int
    waiting_since: datetime | None


@query(label="How far fulfilment is", permission=VIEW, store="write")
class FollowerStatus(Query):
    """How far fulfilment is behind the log."""


def follower_status(question: FollowerStatus, connection: Connection) -> Following:
    cursors = cursors_in(FulfilmentSubscription.store)
    cursor = cursors.read(connection, [FulfilmentSubscription.name]).get(
        FulfilmentSubscription.name
    )
    position = cursor.position if cursor else 0
    lag = lag_after(connection, position, head_of(connection))
    sent = (_OUTBOX.order_id == _HISTORY.order_id) & (_OUTBOX.step == _HISTORY.step)
    found = select(func.count(), func.min(_HISTORY.at)).select_from(
        fulfilment_outbox.join(fulfilment_history, sent)
    )
    commands, since = connection.execute(found).one()
    return Following(
        position=position,
        behind=lag.events + commands,
        waiting_since=min(filter(None, (lag.waiting_since, since)), default=None),
    )


def _offers(process: FulfilmentProcess) -> Iterator[SupervisorTask]:
    if not_open(process):
        return
    if process.status.stage in TO_RETRY:
        yield _offer(RetryFulfilment)
    step = process.skippable
    if step and process.status.stage not in BY_ITSELF:
        yield _offer(SkipFulfilmentStep, step)
    if not not_cancellable(process):
        yield _offer(CancelFulfilment)


def _offer(command: Any, step: Step | None = None) -> SupervisorTask:
    return SupervisorTask(command=command.__name__, label=command.declaration.label, step=step)


def _conditions(question: ListFulfilments) -> Iterator[ColumnElement[bool]]:
    if question.show != "all":
        yield _ROW.over.is_(False)
    if question.show == "attention":
        yield _ROW.late.is_(True) | _ROW.stage.in_(sorted(ATTENTION))
    if question.stage:
        yield _ROW.stage == str(question.stage)


def _row(row: Row[Any]) -> FulfilmentRow:
    return FulfilmentRow(**{**row._mapping, "stage": Stage(row.stage)})
