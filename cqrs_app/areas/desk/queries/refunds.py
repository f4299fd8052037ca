"""The orders with refunds: the rows behind the refunds of the reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, select

from cqrs_app.areas.desk.queries.sales import Listed, SalesFilters, conditions, place_of
from cqrs_app.areas.desk.read_models import sales_orders
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.orders.types import CustomerId
from cqrs_app.kernel import Limit, Page, Sort, query

_ORDER = sales_orders.c


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedOrder:
    """An order placed on a business `day`; `refunded` is a positive number, `customer_id` is empty
    for a guest."""

    order_id: str
    day: date
    customer_id: str
    country: str
    currency: str
    total: Decimal
    refunded: Decimal


_COLUMNS = [_ORDER[name] for name in RefundedOrder.__annotations__]


@query(label="Refunded orders", permission=VIEW, reads=("sales",), cached=True)
class ListRefundedOrders(SalesFilters):
    """Orders with refunds, newest first, without cancelled or rejected ones; days are those on
    which the orders were placed.
    """

    customer_id: CustomerId = ""
    limit: Limit = 25

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed(self).problems(self)


def list_refunded_orders(
    question: ListRefundedOrders, connection: Connection
) -> Page[RefundedOrder]:
    return _listed(question).page(connection, lambda row: RefundedOrder(**row._mapping))


def _listed(question: ListRefundedOrders) -> Listed:
    return Listed(
        found=select(*_COLUMNS).where(*_conditions(question)),
        sort=Sort((_ORDER.day, _ORDER.order_id), date),
        place=place_of(question, "day"),
    )


def _conditions(question: ListRefundedOrders) -> Iterator[ColumnElement[bool]]:
    yield _ORDER.refunded > Decimal(0)
    yield from conditions(question, sales_orders)
    if question.customer_id:
        yield _ORDER.customer_id == question.customer_id
