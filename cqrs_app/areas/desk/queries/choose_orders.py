"""Orders chosen for a batch: all that match, or those that are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import BigInteger, Connection, select, type_coerce

from cqrs_app.areas.desk.queries.filters import OrderFilters, conditions
from cqrs_app.areas.desk.queries.order_list import SORTS
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.desk.search import few
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import ListQuery, Mark, Page, among, query

MOST_CHOSEN = 10_000
"""Orders of one page."""


@dataclass(frozen=True, slots=True)
class ChosenOrder:
    """An order with the version that its row includes; `amount` is its total in ten-thousandths of
    `currency`, as it is stored: a batch adds up many."""

    subject: str
    version: int
    amount: int
    currency: str


_ALL = select(
    orders.c.order_id,
    orders.c.applied_version,
    type_coerce(orders.c.total, BigInteger).label("amount"),
    orders.c.currency,
    orders.c.placed_at,
)


@query(label="Orders for a batch", permission=VIEW, reads=("orders",), listed=False)
class ChooseOrders(ListQuery, OrderFilters):
    """One page of the orders that match, newest first. `ids` names them instead."""

    sorts = SORTS
    sort: Literal["placed_at"] = "placed_at"
    descending: bool = True
    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_CHOSEN)] = ()
    after: Mark = ""
    before: Mark = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_CHOSEN)] = MOST_CHOSEN


def choose_orders(question: ChooseOrders, connection: Connection) -> Page[ChosenOrder]:
    dialect = connection.dialect.name
    found = _ALL.where(*conditions(question, dialect), *few(question.q, connection))
    if question.ids:
        found = found.where(among(orders.c.order_id, question.ids))
    return question.page(
        found,
        connection,
        lambda row: ChosenOrder(row.order_id, row.applied_version, row.amount, row.currency),
    )
