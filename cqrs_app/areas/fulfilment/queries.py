"""Orders on their way as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from cqrs_app.areas.fulfilment.guard import may_leave
from cqrs_app.areas.fulfilment.order_way import OrderWay
from cqrs_app.areas.fulfilment.read_models import fulfilment_steps, fulfilments
from cqrs_app.areas.fulfilment.state import NOTHING
from cqrs_app.areas.fulfilment.tables import fulfilment_cursor
from cqrs_app.areas.fulfilment.types import OrderId
from cqrs_app.areas.fulfilment.words import ATTENTION, OVER, Stage, Step
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.lag import head_of, lag_after
from cqrs_app.kernel.queries.paging import Limit, ListQuery, Mark, Page, Sort

MOST_STEPS = 500
TO_RETRY = frozenset({Stage.OUT_OF_STOCK, Stage.PAYMENT_RETRY, Stage.UNPAID, Stage.STUCK})
BY_ITSELF = frozenset({Stage.RESERVING, Stage.PAUSED})
"""Stages at which trying again helps, and at which there is nothing to skip."""

_ROW = fulfilments.c
SORTS = MappingProxyType({"since": Sort((_ROW.since, _ROW.order_id), datetime)})


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentRow:
    """Where one order stands; times in UTC. `due_at` is None where it may wait for ever, or is
    late already."""

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
    """One page of the orders on their way, those that stand longest in one place first. `show`:
    all that are not at their end, those that somebody has to look at (late, stuck, out of stock,
    unpaid), or every one there ever was."""

    sorts = SORTS
    show: Literal["open", "attention", "all"] = "open"
    stage: Annotated[Stage | None, Meta(title="Stage")] = None
    sort: Literal["since"] = "since"
    descending: bool = False
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25


def list_fulfilments(question: ListFulfilments, connection: Connection) -> Page[FulfilmentRow]:
    found = select(*_COLUMNS).where(*_conditions(question))
    return question.page(found, connection, _row)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """How many orders stand there, how many of them too long, and since when the first."""

    stage: Stage
    orders: int
    late: int
    since: datetime


@query(label="Orders by stage", permission=VIEW, reads=("fulfilment",), cached=True)
class FulfilmentStages(Query):
    """How many orders stand at each stage that is not an end."""


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
    """A task for a supervisor; `step` is what would be skipped."""

    command: str
    label: str
    step: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentView:
    """One order's way as it stands now. `unpaid` is what is still to be paid, in the order's
    currency; `not_released` says why its goods may not leave, empty
    where they may."""

    order_id: str
    stage: Stage
    sentence: str
    late: bool
    unpaid: Decimal
    not_released: str
    offers: tuple[SupervisorTask, ...]
    version: int


@query(label="An order on its way", permission=VIEW)
class GetFulfilment(Query):
    """Where one order stands now, with what may be done about it; nothing where it is not seen
    to."""

    order_id: OrderId


def get_fulfilment(question: GetFulfilment, way: OrderWay, version: int) -> FulfilmentView | None:
    if not way.stand.stage:
        return None
    refusal = may_leave.refusal(way, question.order_id)
    return FulfilmentView(
        order_id=question.order_id,
        stage=Stage(way.stand.stage),
        sentence=way.stand.sentence,
        late=way.stand.late,
        unpaid=max(way.total - way.received, NOTHING),
        not_released=refusal.sentence if refusal else "",
        offers=tuple(_offers(way)),
        version=version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One thing that happened on the way. `outcome` is a task's: sent, done, refused, failed."""

    version: int
    at: datetime
    operator: str
    what: str
    text: str
    outcome: str
    ended_at: datetime | None
    command_id: str


@query(label="An order's steps", permission=VIEW, reads=("fulfilment",), cached=True)
class GetFulfilmentSteps(Query):
    """What happened on one order's way, the newest first."""

    order_id: OrderId


def get_fulfilment_steps(
    question: GetFulfilmentSteps, connection: Connection
) -> tuple[StepView, ...]:
    step = fulfilment_steps.c
    found = (
        select(*(step[name] for name in StepView.__annotations__))
        .where(step.order_id == question.order_id)
        .order_by(step.version.desc())
        .limit(MOST_STEPS)
    )
    return tuple(StepView(**row._mapping) for row in connection.execute(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How far the log was reacted to. `behind` counts the events nobody reacted to yet,
    `waiting_since` is when the first of them was recorded."""

    position: int
    behind: int
    waiting_since: datetime | None


@query(label="How far fulfilment is", permission=VIEW, store="write")
class FollowerStatus(Query):
    """How far behind the events fulfilment is."""


def follower_status(question: FollowerStatus, connection: Connection) -> Following:
    position = connection.execute(select(fulfilment_cursor.c.position)).scalar() or 0
    lag = lag_after(connection, position, head_of(connection))
    return Following(position=position, behind=lag.events, waiting_since=lag.waiting_since)


def _offers(way: OrderWay) -> Iterator[SupervisorTask]:
    if not way.begun or way.stand.stage in OVER:
        return
    if way.stand.stage in TO_RETRY:
        yield _offer(RetryFulfilment)
    step = way.waits_in
    if step and way.stand.stage not in BY_ITSELF:
        yield _offer(SkipFulfilmentStep, step)
    if not way.given_up and not any(goods.sent for goods in way.goods.values()):
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
