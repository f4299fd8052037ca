"""Stock of each product: on hand, reserved for orders, and expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sqlalchemy import Table

from cqrs_app.areas.inventory.events import (
    LowStockLevelSet,
    ProductAdded,
    ProductPriceSet,
    ProductRenamed,
    ProductRestored,
    ProductRetired,
    StockAdjusted,
    StockCommitted,
    StockExpected,
    StockReceived,
    StockReleased,
    StockReservationChanged,
    StockReserved,
)
from cqrs_app.areas.inventory.read_models import expected_deliveries, products, stock_reservations
from cqrs_app.areas.inventory.search import searchable
from cqrs_app.areas.inventory.words import price_text, prices_in
from cqrs_app.kernel import Key, Projection, Recorded, Row, Rows

_OF_RESERVATIONS = StockReserved | StockReservationChanged | StockReleased | StockCommitted


class AvailabilityProjection(Projection):
    """One row per product; closed reservations and received deliveries are kept."""

    name: ClassVar[str] = "availability"
    version: ClassVar[int] = 4
    tables: ClassVar[tuple[Table, ...]] = (products, stock_reservations, expected_deliveries)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield products, (event.sku,)
        if isinstance(event, _OF_RESERVATIONS):
            yield stock_reservations, (event.sku, event.order_id)
        if isinstance(event, StockExpected | StockReceived):
            yield expected_deliveries, (event.sku, event.reference)

    def product_added(self, event: ProductAdded, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            products,
            sku=event.sku,
            description=event.description,
            search="",
            tracked=event.tracked,
            retired=False,
            prices="",
            low_below=event.low_below,
            on_hand=0,
            reserved=0,
            incoming=0,
            added_at=recorded.occurred_at,
        )
        _change(rows, event.sku, recorded)

    def product_renamed(self, event: ProductRenamed, recorded: Recorded, rows: Rows) -> None:
        _change(rows, event.sku, recorded, description=event.description)

    def product_price_set(self, event: ProductPriceSet, recorded: Recorded, rows: Rows) -> None:
        prices = prices_in(rows.change(products, event.sku)["prices"])
        prices.pop(event.currency, None)
        if event.price is not None:
            prices[event.currency] = event.price
        _change(rows, event.sku, recorded, prices=price_text(prices))

    def low_stock_level_set(self, event: LowStockLevelSet, recorded: Recorded, rows: Rows) -> None:
        _change(rows, event.sku, recorded, low_below=event.low_below)

    def product_retired(self, event: ProductRetired, recorded: Recorded, rows: Rows) -> None:
        _change(rows, event.sku, recorded, retired=True)

    def product_restored(self, event: ProductRestored, recorded: Recorded, rows: Rows) -> None:
        _change(rows, event.sku, recorded, retired=False)

    def stock_expected(self, event: StockExpected, recorded: Recorded, rows: Rows) -> None:
        before = rows.get(expected_deliveries, event.sku, event.reference)
        more = event.quantity - (before["quantity"] if before else 0)
        rows.put(
            expected_deliveries,
            sku=event.sku,
            reference=event.reference,
            quantity=event.quantity,
            due=event.due,
        )
        row = _change(rows, event.sku, recorded)
        row["incoming"] += more

    def stock_received(self, event: StockReceived, recorded: Recorded, rows: Rows) -> None:
        row = _change(rows, event.sku, recorded, on_hand=event.on_hand)
        if event.expected:
            row["incoming"] -= event.expected
            delivery = rows.change(expected_deliveries, event.sku, event.reference)
            delivery["quantity"] -= event.expected

    def stock_adjusted(self, event: StockAdjusted, recorded: Recorded, rows: Rows) -> None:
        _change(rows, event.sku, recorded, on_hand=event.on_hand)

    def stock_reserved(self, event: StockReserved, recorded: Recorded, rows: Rows) -> None:
        earlier = rows.get(stock_reservations, event.sku, event.order_id)
        rows.put(
            stock_reservations,
            sku=event.sku,
            order_id=event.order_id,
            quantity=event.quantity,
            committed=earlier["committed"] if earlier else 0,
            reserved_at=recorded.occurred_at,
        )
        _reserve(rows, event.sku, recorded, event.quantity)

    def stock_reservation_changed(
        self, event: StockReservationChanged, recorded: Recorded, rows: Rows
    ) -> None:
        rows.change(stock_reservations, event.sku, event.order_id)["quantity"] = event.quantity
        _reserve(rows, event.sku, recorded, event.quantity - event.before)

    def stock_released(self, event: StockReleased, recorded: Recorded, rows: Rows) -> None:
        rows.change(stock_reservations, event.sku, event.order_id)["quantity"] = 0
        _reserve(rows, event.sku, recorded, -event.quantity)

    def stock_committed(self, event: StockCommitted, recorded: Recorded, rows: Rows) -> None:
        reservation = rows.change(stock_reservations, event.sku, event.order_id)
        reservation["quantity"] -= event.quantity
        reservation["committed"] += event.quantity
        _reserve(rows, event.sku, recorded, -event.quantity, on_hand=event.on_hand)


def _reserve(rows: Rows, sku: str, recorded: Recorded, more: int, **values: Any) -> None:
    reserved = rows.change(products, sku)["reserved"] + more
    _change(rows, sku, recorded, reserved=reserved, **values)


def _change(rows: Rows, sku: str, recorded: Recorded, **values: Any) -> Row:
    """Set these values of a product, and those derived from them."""
    row = rows.change(products, sku)
    row |= values
    row["search"] = searchable(sku, row["description"])
    row["available"] = row["on_hand"] - row["reserved"]
    counts = row["tracked"] and not row["retired"]
    row["short"] = max(row["low_below"] - row["available"], 0) if counts else 0
    row["updated_at"] = recorded.recorded_at
    row["applied_version"] = recorded.version
    return row
