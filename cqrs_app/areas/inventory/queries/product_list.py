"""The products: a page of the list, and those that are running low."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, func, select

from cqrs_app.areas.inventory.commands import VIEW
from cqrs_app.areas.inventory.read_models import products
from cqrs_app.areas.inventory.search import matching
from cqrs_app.areas.types import Sku
from cqrs_app.kernel import (
    MOST_COUNTS,
    Count,
    Limit,
    ListQuery,
    Page,
    Query,
    Sort,
    among,
    counts_of,
    query,
)

_P = products.c
MOST_PRODUCTS = 500
MOST_CHOSEN = 10_000
"""Products of one page that is chosen for a batch."""


class Shown(StrEnum):
    """Which products a list shows; retired ones only on request."""

    OFFERED = "offered"
    LOW = "low"
    OUT = "out"
    CHARGES = "charges"
    RETIRED = "retired"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = MappingProxyType(
    {
        Shown.OFFERED: "Active products",
        Shown.LOW: "Low stock",
        Shown.OUT: "None available",
        Shown.CHARGES: "Fees",
        Shown.RETIRED: "Retired",
    }
)
_CONDITIONS = MappingProxyType(
    {
        Shown.OFFERED: (_P.retired.is_(False),),
        Shown.LOW: (_P.short > 0,),
        Shown.OUT: (_P.retired.is_(False), _P.tracked.is_(True), _P.available == 0),
        Shown.CHARGES: (_P.retired.is_(False), _P.tracked.is_(False)),
        Shown.RETIRED: (_P.retired.is_(True),),
    }
)


class ProductSort(StrEnum):
    """How a list of products is sorted; `short` is how many units are missing to the low-stock
    level.
    """

    SKU = "sku"
    DESCRIPTION = "description"
    AVAILABLE = "available"
    SHORT = "short"


SORTS = MappingProxyType(
    {
        ProductSort.SKU: Sort((_P.sku,), str),
        ProductSort.DESCRIPTION: Sort((_P.description, _P.sku), str),
        ProductSort.AVAILABLE: Sort((_P.available, _P.sku), int),
        ProductSort.SHORT: Sort((_P.short, _P.sku), int),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """A product as the list shows it: `available` = `on_hand` - `reserved`; `short` is how many
    are missing to `low_below`, 0 where it is not low; `prices` of one unit, such as
    "EUR 64.00, GBP 55.00". Times in UTC."""

    sku: str
    description: str
    tracked: bool
    retired: bool
    prices: str
    low_below: int
    on_hand: int
    reserved: int
    available: int
    incoming: int
    short: int
    added_at: datetime
    updated_at: datetime
    applied_version: int


COLUMNS = [_P[name] for name in ProductRow.__annotations__]


@query(label="Products", permission=VIEW, reads=("availability",), cached=True)
class ListProducts(ListQuery):
    """One page of the products that match; `after` and `before` are cursors from another page."""

    sorts = SORTS
    q: Annotated[
        str,
        Meta(title="Search", description="Words of number or description.", max_length=200),
    ] = ""
    show: Annotated[Shown, Meta(title="Show")] = Shown.OFFERED
    sort: Annotated[ProductSort, Meta(title="Sort by")] = ProductSort.SKU
    descending: bool = False
    count: Count = False


def list_products(question: ListProducts, connection: Connection) -> Page[ProductRow]:
    found = select(*COLUMNS).where(*_conditions(question))
    return question.page(found, connection, product_row)


@query(
    label="Products in views", permission=VIEW, reads=("availability",), cached=True, listed=False
)
class CountProductViews(Query):
    """How many products each of these questions finds."""

    views: Annotated[tuple[ListProducts, ...], Meta(max_length=MOST_COUNTS)]


def count_product_views(question: CountProductViews, connection: Connection) -> tuple[int, ...]:
    found = (select(_P.sku).where(*_conditions(each)) for each in question.views)
    return counts_of(found, connection)


@dataclass(frozen=True, slots=True)
class ChosenProduct:
    """A product with the version that the row includes."""

    subject: str
    version: int


@query(label="Products for a batch", permission=VIEW, reads=("availability",), listed=False)
class ChooseProducts(ListProducts):
    """One page of the products that match. `ids` names them instead, retired ones too."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_CHOSEN)] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST_CHOSEN)] = MOST_CHOSEN


def choose_products(question: ChooseProducts, connection: Connection) -> Page[ChosenProduct]:
    where = [among(_P.sku, question.ids)] if question.ids else _conditions(question)
    return question.page(
        select(*COLUMNS).where(*where),
        connection,
        lambda row: ChosenProduct(row.sku, row.applied_version),
    )


@query(label="Several products", permission=VIEW, reads=("availability",), cached=True)
class GetProducts(Query):
    """The products of these numbers; one that does not exist is left out."""

    skus: Annotated[tuple[Sku, ...], Meta(title="Products", max_length=MOST_PRODUCTS)]


def get_products(question: GetProducts, connection: Connection) -> tuple[ProductRow, ...]:
    found = select(*COLUMNS).where(_P.sku.in_(question.skus)).order_by(_P.sku)
    return tuple(product_row(row) for row in connection.execute(found))


@dataclass(frozen=True, slots=True)
class LowStockView:
    """How many products are low, and the lowest of them."""

    count: int
    rows: tuple[ProductRow, ...]


@query(label="Low stock", permission=VIEW, reads=("availability",), cached=True)
class LowStock(Query):
    """Products with less available than their low-stock level, lowest first."""

    limit: Limit = 25


def low_stock(question: LowStock, connection: Connection) -> LowStockView:
    low = _P.short > 0
    count = connection.execute(select(func.count()).select_from(products).where(low)).scalar_one()
    worst = select(*COLUMNS).where(low).order_by(_P.short.desc(), _P.sku).limit(question.limit)
    return LowStockView(count, tuple(product_row(row) for row in connection.execute(worst)))


def product_row(row: Row[Any]) -> ProductRow:
    return ProductRow(**row._mapping)


def _conditions(question: ListProducts) -> Iterator[ColumnElement[bool]]:
    yield from _CONDITIONS[question.show]
    if question.q.strip():
        yield matching(question.q)
