"""The state of a product, as far as the rules need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

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
from cqrs_app.kernel import Aggregate, Event


@dataclass
class Expected:
    """What is still expected of one announced delivery."""

    quantity: int
    due: date


@dataclass
class StockState(Aggregate):
    """`reserved` maps an order to its open reservation, `expected` a delivery's number to what is
    still expected of it: both hold open ones only, so the state stays small. `prices` are by
    currency.
    """

    shape: ClassVar[int] = 2
    category: ClassVar[str] = "product"
    identity: ClassVar[str] = "sku"

    sku: str = ""
    description: str = ""
    tracked: bool = True
    low_below: int = 0
    retired: bool = False
    prices: dict[str, Decimal] = field(default_factory=dict)
    on_hand: int = 0
    reserved: dict[str, int] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.on_hand - sum(self.reserved.values())

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case StockExpected():
                self._expect(event.reference, event.quantity, event.due)
            case StockReceived() | StockAdjusted() | StockCommitted():
                self._move(event)
            case StockReserved() | StockReservationChanged():
                self.reserved[event.order_id] = event.quantity
            case StockReleased():
                self.reserved.pop(event.order_id)
            case _:
                self._describe(event)

    def _describe(self, event: Event) -> None:
        match event:
            case ProductAdded():
                self.sku, self.description = event.sku, event.description
                self.tracked, self.low_below = event.tracked, event.low_below
            case ProductRenamed():
                self.description = event.description
            case ProductPriceSet():
                self.prices.pop(event.currency, None)
                if event.price is not None:
                    self.prices[event.currency] = event.price
            case LowStockLevelSet():
                self.low_below = event.low_below
            case ProductRetired():
                self.retired = True
            case ProductRestored():
                self.retired = False

    def _move(self, event: StockReceived | StockAdjusted | StockCommitted) -> None:
        self.on_hand = event.on_hand
        if isinstance(event, StockReceived) and event.expected:
            announced = self.expected[event.reference]
            left = announced.quantity - event.expected
            self._expect(event.reference, left, announced.due)
        elif isinstance(event, StockCommitted):
            self.reserved[event.order_id] -= event.quantity
            if not self.reserved[event.order_id]:
                self.reserved.pop(event.order_id)

    def _expect(self, reference: str, quantity: int, due: date) -> None:
        self.expected.pop(reference, None)
        if quantity:
            self.expected[reference] = Expected(quantity, due)
