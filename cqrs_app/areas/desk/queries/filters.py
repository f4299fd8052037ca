"""Filters of orders: shared by the list, its counts and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from sqlalchemy import ColumnElement, and_, not_, select

from cqrs_app.areas.assignments.types import AssigneeOrAny, TeamOrAny
from cqrs_app.areas.desk.read_models import order_lines, order_tags, orders
from cqrs_app.areas.desk.search import matching
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders.types import CustomerId, TagOrAny
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.areas.types import (
    HIGHEST_AMOUNT,
    CountryOrNone,
    CurrencyOrAny,
    OrderIdOrAny,
    SkuOrAny,
    money,
)
from cqrs_app.kernel import Query

SearchText = Annotated[
    str,
    Meta(
        title="Search",
        description="Words of the order, its customer, items or tracking numbers.",
        max_length=200,
    ),
]


def _total(title: str) -> Meta:
    return money(title, ge=-HIGHEST_AMOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilters(Query):
    """All given filters apply; of several stages or statuses, any. Dates are business days, both
    ends included; totals are in each order's own currency.
    """

    q: SearchText = ""
    stage: Annotated[tuple[OrderStage, ...], Meta(title="Stage", max_length=20)] = ()
    status: Annotated[tuple[OrderStatus, ...], Meta(title="Status", max_length=20)] = ()
    flagged: Annotated[bool | None, Meta(title="Flagged")] = None
    imported: Annotated[
        bool | None,
        Meta(title="Imported", description="From an import, and untouched since."),
    ] = None
    customer_id: CustomerId = ""
    country: CountryOrNone = ""
    currency: CurrencyOrAny = ""
    sku: SkuOrAny = ""
    tag: TagOrAny = ""
    assignee: AssigneeOrAny = ""
    team: TeamOrAny = ""
    unassigned: Annotated[bool | None, Meta(title="Unassigned")] = None
    exchange_for: Annotated[OrderIdOrAny, Meta(title="Exchange for")] = ""
    placed_from: Annotated[date | None, Meta(title="Placed from")] = None
    placed_to: Annotated[date | None, Meta(title="Placed to")] = None
    min_total: Annotated[Decimal | None, _total("Total from")] = None
    max_total: Annotated[Decimal | None, _total("Total to")] = None


def conditions(filters: OrderFilters, dialect: str) -> Iterator[ColumnElement[bool]]:
    """The filters as SQL conditions on `orders`."""
    columns = orders.c
    if filters.q.strip():
        yield matching(filters.q, dialect)
    if filters.stage:
        yield columns.stage.in_([str(stage) for stage in filters.stage])
    if filters.status:
        yield columns.status.in_([str(status) for status in filters.status])
    if filters.flagged is not None:
        yield columns.flags > 0 if filters.flagged else columns.flags == 0
    if filters.imported is not None:
        yield columns.imported.is_(filters.imported)
    yield from _named(filters)
    for name in ("customer_id", "country", "currency"):
        if value := getattr(filters, name):
            yield columns[name] == value
    if filters.sku:
        line = order_lines.c
        yield columns.order_id.in_(select(line.order_id).where(line.sku == filters.sku))
    if filters.tag:
        tagged = order_tags.c
        having = select(tagged.order_id).where(tagged.tag == filters.tag, tagged.present.is_(True))
        yield columns.order_id.in_(having)
    yield from _between(filters)


def _named(filters: OrderFilters) -> Iterator[ColumnElement[bool]]:
    columns = orders.c
    if filters.unassigned is not None:
        nobody = and_(columns.assignee == "", columns.team == "")
        yield nobody if filters.unassigned else not_(nobody)
    for name in ("assignee", "team", "exchange_for"):
        column = columns[name]
        if given := getattr(filters, name):
            # The second is the condition of its partial index.
            yield and_(column == given, column != "")


def _between(filters: OrderFilters) -> Iterator[ColumnElement[bool]]:
    columns = orders.c
    days = (filters.placed_from, filters.placed_to)
    yield from within(columns.placed_day, columns.placed_at, *days)
    if filters.min_total is not None:
        yield columns.total >= filters.min_total
    if filters.max_total is not None:
        yield columns.total <= filters.max_total


def within(
    day: ColumnElement[date],
    moment: ColumnElement[datetime],
    first: date | None,
    last: date | None,
) -> Iterator[ColumnElement[bool]]:
    """Rows of these business days, both included. The index is on the moment: a day of any time
    zone lies within two days of UTC, which narrows the search.
    """
    if first is not None:
        yield moment >= _midnight(first) - timedelta(days=1)
        yield day >= first
    if last is not None:
        yield moment < _midnight(last) + timedelta(days=2)
        yield day <= last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
