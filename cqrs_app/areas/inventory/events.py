"""What happened to products and their stock. `on_hand` is the number after the event."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cqrs_app.kernel import Event, event


@event()
class ProductAdded(Event):
    sku: str
    description: str
    tracked: bool
    low_below: int


@event()
class ProductRenamed(Event):
    sku: str
    description: str


@event()
class ProductPriceSet(Event):
    """`price` is None where the product no longer has one in this currency."""

    sku: str
    currency: str
    price: Decimal | None


@event()
class LowStockLevelSet(Event):
    sku: str
    low_below: int


@event()
class ProductRetired(Event):
    sku: str


@event()
class ProductRestored(Event):
    sku: str


@event()
class StockExpected(Event):
    sku: str
    reference: str
    quantity: int
    due: date


@event()
class StockReceived(Event):
    """`expected` is how much of it had been announced under this reference."""

    sku: str
    quantity: int
    reference: str
    expected: int
    on_hand: int


@event()
class StockAdjusted(Event):
    sku: str
    difference: int
    reason: str
    note: str
    on_hand: int


@event()
class StockReserved(Event):
    sku: str
    order_id: str
    quantity: int


@event()
class StockReservationChanged(Event):
    """`quantity` is reserved from now on, `before` was until then."""

    sku: str
    order_id: str
    quantity: int
    before: int


@event()
class StockReleased(Event):
    sku: str
    order_id: str
    quantity: int


@event()
class StockCommitted(Event):
    sku: str
    order_id: str
    quantity: int
    on_hand: int
