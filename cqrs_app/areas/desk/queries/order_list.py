"""The order list: one page of it, and how many of its orders have changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, Row, func, select

from cqrs_app.areas.desk.queries.filters import OrderFilters, conditions
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.desk.search import few
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from cqrs_app.kernel import Count, Limit, ListQuery, Mark, Page, Sort, query

SORTS = MappingProxyType(
    {
        "placed_at": Sort((orders.c.placed_at, orders.c.order_id), datetime),
        "updated_at": Sort((orders.c.updated_at, orders.c.order_id), datetime),
        "total": Sort((orders.c.total, orders.c.order_id), Decimal),
        "order_id": Sort((orders.c.order_id,), str),
    }
)
MOST_CHANGES = 1_000
"""Counting of changes stops at this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """A row of the order list; money in the order's currency, times in UTC. `decision` says what
    somebody has to decide before the order continues; `discount` (of the lines too), `shipping`,
    `tax` and `fee` are as ordered.
    """

    order_id: str
    stage: OrderStage
    stage_since: datetime
    decision: str
    status: OrderStatus
    customer_id: str
    customer_name: str
    country: str
    currency: str
    total: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    fee: Decimal
    line_count: int
    units: int
    shipped_units: int
    placed_at: datetime
    updated_at: datetime
    assignee: str
    team: str
    hold_reason: HoldReason | None
    flags: int
    tags: tuple[str, ...]
    carrier: str
    tracking: str
    applied_version: int


_NAMES = tuple(OrderRow.__annotations__)
_ALL = select(*(orders.c[name] for name in _NAMES))


@query(label="Orders", permission=VIEW, reads=("orders",), cached=True, step_up=True, personal=True)
class ListOrders(ListQuery, OrderFilters):
    """One page of the orders that match; `after` and `before` are cursors from another page."""

    sorts = SORTS
    sort: Literal["placed_at", "updated_at", "total", "order_id"] = "placed_at"
    descending: bool = True
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25
    count: Count = False


def list_orders(question: ListOrders, connection: Connection) -> Page[OrderRow]:
    found = _ALL.where(*conditions(question, connection.dialect.name), *few(question.q, connection))
    return question.page(found, connection, _order_row)


@dataclass(frozen=True, slots=True)
class Changes:
    """New orders and changed orders, each counted up to MOST_CHANGES."""

    new: int
    changed: int


@query(label="Changes since", permission=VIEW, reads=("orders",))
class CountChanges(OrderFilters):
    """How many matching orders have an event after position `since`, the position of the shown
    page's freshness.
    """

    since: Annotated[int, Meta(ge=0, le=2**62)]


def count_changes(question: CountChanges, connection: Connection) -> Changes:
    newer = (
        select((orders.c.row_id > question.since).label("is_new"))
        .where(
            orders.c.applied_position > question.since,
            *conditions(question, connection.dialect.name),
        )
        .limit(MOST_CHANGES)
        .subquery()
    )
    counted = select(newer.c.is_new, func.count()).group_by(newer.c.is_new)
    counts = {bool(is_new): count for is_new, count in connection.execute(counted)}
    return Changes(counts.get(True, 0), counts.get(False, 0))


def _order_row(row: Row[Any]) -> OrderRow:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    values["stage"] = OrderStage(values["stage"])
    values["status"] = OrderStatus(values["status"])
    values["hold_reason"] = HoldReason(values["hold_reason"]) if values["hold_reason"] else None
    values["tags"] = msgspec.json.decode(values["tags"], type=tuple[str, ...])
    return OrderRow(**values)
