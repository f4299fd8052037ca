"""Best-selling articles, and the customers who bought most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import Connection, and_, func, or_, select, type_coerce

from cqrs_app.areas.desk.queries.sales import Listed, SalesFilters, grouped, place_of
from cqrs_app.areas.desk.read_models import (
    customer_accounts,
    customer_days,
    product_days,
    sold_products,
)
from cqrs_app.areas.orders.commands import VIEW, VIEW_CUSTOMERS
from cqrs_app.kernel import Amount, Limit, Page, Sort, query


@dataclass(frozen=True, slots=True, kw_only=True)
class BestProduct:
    """An article in one currency, without the orders cancelled or rejected since. `orders` counts
    an order once, however many of its lines have the article; `description` is the product's
    name, or without one that of its newest order."""

    sku: str
    description: str
    currency: str
    orders: int
    units: int
    revenue: Decimal


@query(label="Top products", permission=VIEW, reads=("sales",), cached=True)
class TopProducts(SalesFilters):
    """Articles with their sales, the best first."""

    sort: Annotated[Literal["revenue", "units", "orders"], Meta(title="By")] = "revenue"
    limit: Limit = 10

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _products(self).problems(self)


def top_products(question: TopProducts, connection: Connection) -> Page[BestProduct]:
    return _products(question).page(connection, lambda row: BestProduct(**row._mapping))


def _products(question: TopProducts) -> Listed:
    sold = grouped(product_days, ("sku", "currency"), question)
    # Looked up for the rows of the page: a join would be with every article there is.
    called = func.coalesce(func.nullif(sold_products.c.name, ""), sold_products.c.description)
    described = select(called).where(sold_products.c.sku == sold.c.sku)
    name = func.coalesce(described.scalar_subquery(), "").label("description")
    return Listed(
        # An article whose every order was cancelled did not sell.
        found=select(sold, name).where(sold.c.orders > 0),
        sort=_best(sold.c[question.sort], sold.c.sku, sold.c.currency),
        place=place_of(question, question.sort),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSales:
    """A customer in one currency, without the orders cancelled or rejected since. `refunded` and
    `credited` are positive numbers, the latter by the day of the credit; `net` is the revenue less
    both."""

    customer_id: str
    name: str
    currency: str
    orders: int
    revenue: Decimal
    refunded: Decimal
    credited: Decimal
    net: Decimal


@query(
    label="Top customers",
    permission=VIEW_CUSTOMERS,
    reads=("sales", "customers"),
    cached=True,
    step_up=True,
    personal=True,
)
class TopCustomers(SalesFilters):
    """Customers with what they bought, were refunded and credited, the best first; guests are not
    listed."""

    sort: Annotated[Literal["revenue", "net", "orders"], Meta(title="By")] = "revenue"
    limit: Limit = 10

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _customers(self).problems(self)


def top_customers(question: TopCustomers, connection: Connection) -> Page[CustomerSales]:
    return _customers(question).page(connection, lambda row: CustomerSales(**row._mapping))


def _customers(question: TopCustomers) -> Listed:
    bought = grouped(customer_days, ("customer_id", "currency"), question)
    net = type_coerce(bought.c.revenue - bought.c.refunded - bought.c.credited, Amount).label("net")
    with_net = select(bought, net).where(or_(bought.c.orders > 0, bought.c.credited > 0)).subquery()
    column, account = with_net.c, customer_accounts.c
    theirs = and_(account.customer_id == column.customer_id, account.currency == column.currency)
    name = func.coalesce(select(account.name).where(theirs).scalar_subquery(), "").label("name")
    return Listed(
        found=select(with_net, name),
        sort=_best(column[question.sort], column.customer_id, column.currency),
        place=place_of(question, question.sort),
    )


def _best(figure: Any, *ties: Any) -> Sort:
    return Sort((figure, *ties), Decimal if figure.name in ("revenue", "net") else int)
