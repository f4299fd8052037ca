"""Several orders at once: whole, or their stages alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection, Table, select

from cqrs_app.areas.desk.queries.one_order import OrderView, view_of
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, query

MOST_ORDERS = 200

OrderIds = Annotated[tuple[OrderId, ...], Meta(title="Orders", max_length=MOST_ORDERS)]


@query(label="Several orders", permission=VIEW, reads=("orders",), personal=True)
class GetOrders(Query):
    """The orders of these numbers, in this sequence; one that does not exist is left out."""

    order_ids: OrderIds


def get_orders(question: GetOrders, connection: Connection) -> tuple[OrderView, ...]:
    found = {
        row["order_id"]: row
        for row in connection.execute(
            select(orders).where(orders.c.order_id.in_(question.order_ids))
        ).mappings()
    }
    kept: dict[Table, Mapping[str, Sequence[Mapping[Any, Any]]]] = {}

    def rows_of(table: Table, order_id: str) -> Sequence[Mapping[Any, Any]]:
        if table not in kept:
            kept[table] = _by_order(table, tuple(found), connection)
        return kept[table].get(order_id, ())

    return tuple(
        view_of(found[order_id], lambda table, of=order_id: rows_of(table, of))  # type: ignore[misc]
        for order_id in dict.fromkeys(question.order_ids)
        if order_id in found
    )


@query(label="Stages of orders", permission=VIEW, reads=("orders",), cached=True)
class StagesOfOrders(Query):
    """The stage of each order of these numbers; one that does not exist has none."""

    order_ids: OrderIds


def stages_of_orders(question: StagesOfOrders, connection: Connection) -> dict[str, OrderStage]:
    stages = select(orders.c.order_id, orders.c.stage).where(
        orders.c.order_id.in_(question.order_ids)
    )
    return {order_id: OrderStage(stage) for order_id, stage in connection.execute(stages)}


def _by_order(
    table: Table, order_ids: Sequence[str], connection: Connection
) -> Mapping[str, Sequence[Mapping[Any, Any]]]:
    """The rows of these orders, by their key."""
    found = select(table).where(table.c.order_id.in_(order_ids)).order_by(*table.primary_key)
    rows = defaultdict(list)
    for row in connection.execute(found).mappings():
        rows[row["order_id"]].append(row)
    return rows
