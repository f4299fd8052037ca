"""What shipped for orders, by product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.areas.inventory.commands import VIEW
from cqrs_app.areas.inventory.read_models import product_sales, products
from cqrs_app.areas.types import SkuOrAny
from cqrs_app.kernel import Limit, Query, query


@dataclass(frozen=True, slots=True)
class SalesRow:
    """Units of one product that shipped for orders, and in how many shipments."""

    sku: str
    description: str
    units: int
    shipments: int


@query(
    label="Product sales",
    permission=VIEW,
    reads=("product_sales", "availability"),
    cached=True,
)
class ProductSales(Query):
    """The products that shipped most between two business days, both included. Units only: prices
    are in the orders.
    """

    since: Annotated[date | None, Meta(title="From")] = None
    until: Annotated[date | None, Meta(title="To")] = None
    sku: SkuOrAny = ""
    limit: Limit = 25

    def check(self) -> Iterator[tuple[str, str]]:
        if self.since and self.until and self.since > self.until:
            yield "until", "The last day comes before the first."


def list_sales(question: ProductSales, connection: Connection) -> tuple[SalesRow, ...]:
    columns = product_sales.c
    units = func.sum(columns.units).label("units")
    found = (
        select(columns.sku, products.c.description, units, func.sum(columns.shipments))
        .join(products, products.c.sku == columns.sku)
        .group_by(columns.sku, products.c.description)
        .order_by(units.desc(), columns.sku)
        .limit(question.limit)
    )
    if question.since:
        found = found.where(columns.day >= question.since)
    if question.until:
        found = found.where(columns.day <= question.until)
    if question.sku:
        found = found.where(columns.sku == question.sku)
    return tuple(
        SalesRow(row[0], row[1], int(row[2]), int(row[3])) for row in connection.execute(found)
    )
