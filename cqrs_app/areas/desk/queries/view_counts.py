"""How many orders several filters match each, and since when the oldest waits. Where `order_days`
knows the filters, the sums that its projection keeps are added up; else orders are counted, up to a
bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, Row, Select, case, func, select

from cqrs_app.areas.desk.queries.filters import OrderFilters, conditions
from cqrs_app.areas.desk.read_models import order_days, orders
from cqrs_app.areas.desk.search import few
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import COUNTED_TO, MOST_COUNTS, Query, query

KEPT = frozenset({"stage", "status", "currency", "imported"})
"""The filters that the sums know."""
_DAY = order_days.c


@dataclass(frozen=True, slots=True)
class ViewCount:
    """`more`: counting stopped there. `oldest` is the day on which the first of
    them was placed that is not from an import; None where there is none, or too many to look."""

    orders: int
    oldest: date | None
    more: bool = False


@query(label="Orders in views", permission=VIEW, reads=("orders",), cached=True, listed=False)
class CountViews(Query):
    """A count for each of these filters, in their order."""

    views: Annotated[tuple[OrderFilters, ...], Meta(max_length=MOST_COUNTS)]


def count_views(question: CountViews, connection: Connection) -> tuple[ViewCount, ...]:
    known = any(_given(each) <= KEPT for each in question.views)
    sums = connection.execute(_SUMS).all() if known else ()
    return tuple(
        _summed(each, sums) if _given(each) <= KEPT else _counted(each, connection)
        for each in question.views
    )


_SUMS: Select[Any] = select(
    _DAY.stage,
    _DAY.status,
    _DAY.currency,
    func.sum(_DAY.orders).label("orders"),
    func.sum(_DAY.imported).label("imported"),
    func.min(case((_DAY.orders > _DAY.imported, _DAY.day))).label("oldest"),
).group_by(_DAY.stage, _DAY.status, _DAY.currency)


def _given(filters: OrderFilters) -> frozenset[str]:
    """The names of the filters that are used."""
    return frozenset(
        each.name for each in fields(filters) if getattr(filters, each.name) != each.default
    )


def _summed(filters: OrderFilters, sums: Sequence[Row[Any]]) -> ViewCount:
    rows = [
        row
        for row in sums
        if (not filters.stage or row.stage in filters.stage)
        and (not filters.status or row.status in filters.status)
        and filters.currency in ("", row.currency)
    ]
    count = sum(int(row.orders) for row in rows)
    imported = sum(int(row.imported) for row in rows)
    if filters.imported:
        return ViewCount(imported, None)
    oldest = min((row.oldest for row in rows if row.oldest), default=None)
    return ViewCount(count if filters.imported is None else count - imported, oldest)


def _counted(filters: OrderFilters, connection: Connection) -> ViewCount:
    """Up to COUNTED_TO."""
    matching = (
        select(orders.c.placed_day, orders.c.imported)
        .where(*conditions(filters, connection.dialect.name), *few(filters.q, connection))
        .limit(COUNTED_TO + 1)
        .subquery()
    )
    waiting = case((matching.c.imported.is_(False), matching.c.placed_day))
    found = select(func.count(), func.min(waiting))
    count, oldest = connection.execute(found).one()
    return (
        ViewCount(COUNTED_TO, None, more=True) if count > COUNTED_TO else ViewCount(count, oldest)
    )
