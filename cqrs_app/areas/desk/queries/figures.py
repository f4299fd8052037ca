"""Figures over all orders: what was done today, orders by day, by stage and by status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, Table, case, func, select, type_coerce

from cqrs_app.areas.desk.read_models import order_activity, order_days, orders, sales_days
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.kernel import Amount, Query, query

EARLIEST_YEAR = 1900
TOO_EARLY = f"Choose a day in {EARLIEST_YEAR} or later."


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigure:
    """The orders at one stage now. `waiting` counts those that are not from an import, or were
    changed here since; `waiting_value` is their value, and `oldest` is when the first of them was
    placed, for stages that need action.
    """

    stage: OrderStage
    orders: int
    waiting: int
    waiting_value: tuple[Money, ...]
    oldest: datetime | None


@query(label="Orders by stage", permission=VIEW, reads=("orders",), hot=True)
class OrdersByStage(Query):
    """Every stage, also those without orders."""


def orders_by_stage(question: OrdersByStage, connection: Connection) -> tuple[StageFigure, ...]:
    columns = order_days.c
    found = select(
        columns.stage,
        columns.currency,
        func.sum(columns.orders).label("orders"),
        func.sum(columns.orders - columns.imported).label("waiting"),
        func.sum(type_coerce(columns.value - columns.imported_value, Amount)).label("value"),
    ).group_by(columns.stage, columns.currency)
    rows = connection.execute(found).all()

    def figure(stage: OrderStage) -> StageFigure:
        mine = [row for row in rows if row.stage == stage]
        waiting = {row.currency: row for row in mine if row.waiting}
        return StageFigure(
            stage=stage,
            orders=sum(int(row.orders) for row in mine),
            waiting=sum(int(row.waiting) for row in mine),
            waiting_value=_money({currency: row.value for currency, row in waiting.items()}),
            oldest=_oldest(connection, stage) if waiting and stage in NEEDS_ACTION else None,
        )

    return tuple(map(figure, OrderStage))


LATELY = timedelta(days=3)
"""How long before a day an order was placed lately, not long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeFigure:
    """The waiting orders at one stage by when they were placed: on the day, in the three days
    before it, or earlier."""

    stage: OrderStage
    today: int
    lately: int
    earlier: int


@query(label="Waiting orders by age", permission=VIEW, reads=("orders",), hot=True)
class WaitingByAge(Query):
    """The stages that need action, also those without orders; `waiting` as in `OrdersByStage`."""

    day: date

    def check(self) -> Iterator[tuple[str, str]]:
        if self.day.year < EARLIEST_YEAR:
            yield "day", TOO_EARLY


def waiting_by_age(question: WaitingByAge, connection: Connection) -> tuple[AgeFigure, ...]:
    columns = order_days.c
    waiting = columns.orders - columns.imported
    since = question.day - LATELY

    def sum_of(name: str, when: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((when, waiting), else_=0)).label(name)

    found = (
        select(
            columns.stage,
            sum_of("today", columns.day >= question.day),
            sum_of("lately", columns.day.between(since, question.day - timedelta(days=1))),
            sum_of("earlier", columns.day < since),
        )
        .where(columns.stage.in_(map(str, NEEDS_ACTION)))
        .group_by(columns.stage)
    )
    rows = {row.stage: row for row in connection.execute(found)}
    return tuple(_aged(stage, rows.get(stage)) for stage in NEEDS_ACTION)


def _aged(stage: OrderStage, row: Row[Any] | None) -> AgeFigure:
    names = ("today", "lately", "earlier")
    return AgeFigure(stage=stage, **{name: int(getattr(row, name, 0)) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One kind of work in one currency: today against the day before.

    `what` is one of placed, approved, rejected, held, released, shipped, delivered, cancelled.
    """

    what: str
    currency: str
    count: int
    value: Decimal
    count_before: int
    value_before: Decimal


@query(label="Today", permission=VIEW, reads=("orders",), hot=True)
class TodayFigures(Query):
    """What was done on a business day, whenever the orders were placed."""

    day: date

    def check(self) -> Iterator[tuple[str, str]]:
        if self.day.year < EARLIEST_YEAR:
            yield "day", TOO_EARLY


def today_figures(question: TodayFigures, connection: Connection) -> tuple[Figure, ...]:
    columns = order_activity.c
    days = (question.day, question.day - timedelta(days=1))
    found = select(order_activity).where(columns.day.in_(days))
    rows = {(row.what, row.currency, row.day): row for row in connection.execute(found)}
    figures = []
    for what, currency in sorted({key[:2] for key in rows}):
        now, before = (rows.get((what, currency, day)) for day in days)
        figures.append(
            Figure(
                what=what,
                currency=currency,
                # `count` of a row is the method of tuples.
                count=now._mapping["count"] if now else 0,
                value=now.value if now else Decimal(0),
                count_before=before._mapping["count"] if before else 0,
                value_before=before.value if before else Decimal(0),
            )
        )
    return tuple(figures)


@dataclass(frozen=True, slots=True)
class DayFigure:
    """One day: the orders placed on it, whatever became of them; how many were approved on it,
    whenever they were placed; and its revenue as in reports."""

    day: date
    orders: int
    value: tuple[Money, ...]
    approved: int
    revenue: tuple[Money, ...]


@query(label="Orders by day", permission=VIEW, reads=("orders", "sales"), hot=True)
class OrdersByDay(Query):
    """The last `days` business days up to `until`, oldest first, including days without orders."""

    days: Annotated[int, Meta(ge=1, le=400)] = 30
    until: date

    def check(self) -> Iterator[tuple[str, str]]:
        if self.until.year < EARLIEST_YEAR:
            yield "until", TOO_EARLY


def orders_by_day(question: OrdersByDay, connection: Connection) -> tuple[DayFigure, ...]:
    first = question.until - timedelta(days=question.days - 1)

    def sums(table: Table, count: str, value: str, *only: ColumnElement[bool]) -> _Days:
        return _by_day(
            connection, table, count, value, table.c.day.between(first, question.until), *only
        )

    placed, values = sums(order_days, "orders", "value")
    approved, _ = sums(order_activity, "count", "value", order_activity.c.what == "approved")
    _, revenue = sums(sales_days, "orders", "revenue")
    listed = (first + timedelta(days=number) for number in range(question.days))
    return tuple(
        DayFigure(day, placed[day], _money(values[day]), approved[day], _money(revenue[day]))
        for day in listed
    )


_Days = tuple[Mapping[date, int], Mapping[date, Mapping[str, Decimal]]]
"""Counts, and amounts by currency, by day; nothing for a day without any."""


def _by_day(
    connection: Connection, table: Table, count: str, value: str, *only: ColumnElement[bool]
) -> _Days:
    columns = table.c
    found = (
        select(columns.day, columns.currency, func.sum(columns[count]), func.sum(columns[value]))
        .where(*only)
        .group_by(columns.day, columns.currency)
    )
    counts: dict[date, int] = defaultdict(int)
    values: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for day, currency, number, amount in connection.execute(found):
        counts[day] += int(number)
        values[day][currency] = amount
    return counts, values


@dataclass(frozen=True, slots=True)
class StatusFigure:
    """The orders that have one status now."""

    status: OrderStatus
    orders: int
    value: tuple[Money, ...]


@query(label="Orders by status", permission=VIEW, reads=("orders",), cached=True)
class OrdersByStatus(Query):
    """Every status, also those without orders."""


def orders_by_status(question: OrdersByStatus, connection: Connection) -> tuple[StatusFigure, ...]:
    columns = order_days.c
    found = select(
        columns.status, columns.currency, func.sum(columns.orders), func.sum(columns.value)
    ).group_by(columns.status, columns.currency)
    counts: dict[str, int] = defaultdict(int)
    values: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for name, currency, count, value in connection.execute(found):
        if count:
            counts[name] += int(count)
            values[name][currency] = value
    return tuple(
        StatusFigure(status, counts[status], _money(values[status])) for status in OrderStatus
    )


def _oldest(connection: Connection, stage: OrderStage) -> datetime | None:
    waiting = (orders.c.stage == str(stage), orders.c.imported.is_(False))
    found = select(func.min(orders.c.placed_at)).where(*waiting)
    return connection.execute(found).scalar()


def _money(amounts: Mapping[str, Decimal]) -> tuple[Money, ...]:
    return tuple(Money(currency, amounts[currency]) for currency in sorted(amounts))
