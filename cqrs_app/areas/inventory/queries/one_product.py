"""One product: stock, reservations, expected deliveries, and its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Connection, select

from cqrs_app.areas.inventory import commands
from cqrs_app.areas.inventory.commands import VIEW
from cqrs_app.areas.inventory.queries.product_list import COLUMNS, ProductRow
from cqrs_app.areas.inventory.read_models import (
    expected_deliveries,
    products,
    stock_movements,
    stock_reservations,
)
from cqrs_app.areas.inventory.words import prices_in
from cqrs_app.areas.types import OrderId, Sku
from cqrs_app.kernel import ListQuery, Page, Query, Rows, Sort, query

MOST_SHOWN = 200
"""How many reservations and deliveries of one product a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRow:
    """What one order has reserved of a product, and how much of it has shipped."""

    sku: str
    order_id: str
    quantity: int
    committed: int
    reserved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRow:
    """What is still expected of an announced delivery."""

    reference: str
    quantity: int
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What one unit costs in a currency."""

    currency: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product with its open reservations and expected deliveries, at most MOST_SHOWN of each,
    oldest and next first. `tasks` are the actions that make sense for it now.
    """

    product: ProductRow
    prices: tuple[UnitPrice, ...]
    tasks: tuple[str, ...]
    reservations: tuple[ReservationRow, ...]
    expected: tuple[ExpectedRow, ...]


_R, _E, _M = stock_reservations.c, expected_deliveries.c, stock_movements.c
_RESERVATION = [_R[name] for name in ReservationRow.__annotations__]
_EXPECTED = [_E[name] for name in ExpectedRow.__annotations__]


@query(label="Product", permission=VIEW, reads=("availability",), cached=True)
class GetProduct(Query):
    """The product of this number; None if there is none."""

    sku: Sku


def get_product(question: GetProduct, connection: Connection) -> ProductView | None:
    found = select(*COLUMNS).where(products.c.sku == question.sku)
    row = connection.execute(found).mappings().first()
    if row is None:
        return None
    reserved = (
        select(*_RESERVATION)
        .where(_R.sku == question.sku, _R.quantity > 0)
        .order_by(_R.reserved_at, _R.order_id)
        .limit(MOST_SHOWN)
    )
    expected = (
        select(*_EXPECTED)
        .where(_E.sku == question.sku, _E.quantity > 0)
        .order_by(_E.due, _E.reference)
        .limit(MOST_SHOWN)
    )
    return _view(
        row, connection.execute(reserved).mappings(), connection.execute(expected).mappings()
    )


def fold_product(question: GetProduct, rows: Rows) -> ProductView | None:
    row = rows.get(products, question.sku)
    if row is None:
        return None
    reserved = [each for each in rows.all(stock_reservations) if each["quantity"]]
    expected = [each for each in rows.all(expected_deliveries) if each["quantity"]]
    reserved.sort(key=lambda each: (each["reserved_at"], each["order_id"]))
    expected.sort(key=lambda each: (each["due"], each["reference"]))
    return _view(row, reserved[:MOST_SHOWN], expected[:MOST_SHOWN])


@query(label="Stock of an order", permission=VIEW, reads=("availability",), cached=True)
class StockOfOrder(Query):
    """What an order has reserved and what has shipped for it, by product."""

    order_id: OrderId


def stock_of_order(question: StockOfOrder, connection: Connection) -> tuple[ReservationRow, ...]:
    found = (
        select(*_RESERVATION)
        .where(_R.order_id == question.order_id, (_R.quantity > 0) | (_R.committed > 0))
        .order_by(_R.sku)
    )
    return tuple(ReservationRow(**row) for row in connection.execute(found).mappings())


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRow:
    """One line of the ledger: `kind` is received, adjusted or sent; `quantity` is negative for
    stock that left; `reference` is a delivery, a reason or an order, `on_hand` the stock after it.
    """

    sku: str
    version: int
    kind: str
    quantity: int
    on_hand: int
    reference: str
    note: str
    at: datetime
    recorded_at: datetime
    operator: str
    command_id: str


_MOVEMENT = [_M[name] for name in MovementRow.__annotations__]
_NEWEST_FIRST = Sort((_M.version, _M.sku), int)


@query(label="Stock movements", permission=VIEW, reads=("stock_movements",), cached=True)
class ListMovements(ListQuery):
    """One page of a product's ledger, newest first."""

    sorts: ClassVar[Mapping[str, Sort]] = {"version": _NEWEST_FIRST}
    sort: ClassVar[str] = "version"
    descending: ClassVar[bool] = True
    sku: Sku


def list_movements(question: ListMovements, connection: Connection) -> Page[MovementRow]:
    found = select(*_MOVEMENT).where(_M.sku == question.sku)
    return question.page(
        found,
        connection,
        lambda row: MovementRow(**row._mapping),
    )


def _view(
    row: Mapping[Any, Any],
    reserved: Iterable[Mapping[Any, Any]],
    expected: Iterable[Mapping[Any, Any]],
) -> ProductView:
    product = ProductRow(**_only(ProductRow, row))
    return ProductView(
        product=product,
        prices=tuple(
            UnitPrice(currency=currency, price=price)
            for currency, price in prices_in(product.prices).items()
        ),
        tasks=tuple(_tasks(product)),
        reservations=tuple(ReservationRow(**_only(ReservationRow, each)) for each in reserved),
        expected=tuple(ExpectedRow(**_only(ExpectedRow, each)) for each in expected),
    )


def _tasks(product: ProductRow) -> Iterator[str]:
    if product.retired:
        yield commands.RestoreProduct.__name__
        if product.available:
            yield commands.AdjustStock.__name__
        return
    if product.tracked:
        yield commands.ReceiveStock.__name__
        yield commands.ExpectStock.__name__
        if product.available:
            yield commands.ReserveStock.__name__
        yield commands.AdjustStock.__name__
        yield commands.SetLowStockLevel.__name__
    yield commands.SetProductPrice.__name__
    yield commands.RenameProduct.__name__
    if not product.reserved:
        yield commands.RetireProduct.__name__


def _only(cls: type, row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in cls.__annotations__}
