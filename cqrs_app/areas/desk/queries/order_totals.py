"""What some orders come to together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select, type_coerce

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import Amount, Query, query


@dataclass(frozen=True, slots=True)
class OrderTotal:
    """The orders in one currency."""

    currency: str
    total: Decimal
    orders: int


@query(label="Total of orders", permission=VIEW, reads=("orders",))
class TotalOfOrders(Query):
    """The sum of these orders' totals in each currency, the largest first."""

    order_ids: Annotated[tuple[str, ...], Meta(max_length=1_000)]


def total_of_orders(question: TotalOfOrders, connection: Connection) -> tuple[OrderTotal, ...]:
    total = type_coerce(func.sum(orders.c.total), Amount)
    found = (
        select(orders.c.currency, total, func.count())
        .where(orders.c.order_id.in_(question.order_ids))
        .group_by(orders.c.currency)
        .order_by(total.desc())
    )
    return tuple(OrderTotal(*row) for row in connection.execute(found))
