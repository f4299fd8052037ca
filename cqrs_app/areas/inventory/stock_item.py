"""A product and its stock: what may be done with it, and what that leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from cqrs_app.areas.inventory import rules
from cqrs_app.areas.inventory.commands import (
    AddProduct,
    AdjustStock,
    CommitStock,
    ExpectStock,
    ReceiveStock,
    ReleaseStock,
    RenameProduct,
    ReserveStock,
    RestoreProduct,
    RetireProduct,
    SetLowStockLevel,
)
from cqrs_app.areas.inventory.events import (
    LowStockLevelSet,
    ProductAdded,
    ProductRenamed,
    ProductRestored,
    ProductRetired,
    StockAdjusted,
    StockCommitted,
    StockExpected,
    StockReceived,
    StockReleased,
    StockReserved,
)
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.messages import Event


@dataclass
class Expected:
    """What is still on its way of one announced delivery."""

    quantity: int
    due: date


@dataclass
class StockItem(Aggregate):
    """`reserved` maps an order to its open reservation, `expected` a delivery's number to what is
    still on its way: both hold what is open, so the state stays small."""

    category: ClassVar[str] = "product"
    identity: ClassVar[str] = "sku"

    sku: str = ""
    description: str = ""
    tracked: bool = True
    low_below: int = 0
    retired: bool = False
    on_hand: int = 0
    reserved: dict[str, int] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.on_hand - sum(self.reserved.values())

    def add(self, command: AddProduct) -> Iterator[Event]:
        if self.sku:
            rules.must_be_the_same(self, command)
            return
        yield ProductAdded(
            sku=command.sku,
            description=command.description,
            tracked=command.tracked,
            low_below=command.low_below,
        )

    def rename(self, command: RenameProduct) -> Iterator[Event]:
        rules.must_be_offered(self, command.sku)
        if command.description != self.description:
            yield ProductRenamed(sku=self.sku, description=command.description)

    def set_low_stock_level(self, command: SetLowStockLevel) -> Iterator[Event]:
        rules.must_be_stocked(self, command.sku)
        if command.low_below != self.low_below:
            yield LowStockLevelSet(sku=self.sku, low_below=command.low_below)

    def retire(self, command: RetireProduct) -> Iterator[Event]:
        rules.may_retire(self, command.sku)
        yield ProductRetired(sku=self.sku)

    def restore(self, command: RestoreProduct) -> Iterator[Event]:
        rules.may_restore(self, command.sku)
        yield ProductRestored(sku=self.sku)

    def expect(self, command: ExpectStock) -> Iterator[Event]:
        rules.must_be_stocked(self, command.sku)
        before = self.expected.get(command.reference)
        now = Expected(command.quantity, command.due) if command.quantity else None
        if now != before:
            yield StockExpected(
                sku=self.sku,
                reference=command.reference,
                quantity=command.quantity,
                due=command.due,
            )

    def receive(self, command: ReceiveStock) -> Iterator[Event]:
        rules.must_be_stocked(self, command.sku)
        announced = self.expected.get(command.reference)
        yield StockReceived(
            sku=self.sku,
            quantity=command.quantity,
            reference=command.reference,
            expected=min(command.quantity, announced.quantity) if announced else 0,
            on_hand=self.on_hand + command.quantity,
        )

    def adjust(self, command: AdjustStock) -> Iterator[Event]:
        rules.may_adjust(self, command)
        yield StockAdjusted(
            sku=self.sku,
            difference=command.difference,
            reason=str(command.reason),
            note=command.note,
            on_hand=self.on_hand + command.difference,
        )

    def reserve(self, command: ReserveStock) -> Iterator[Event]:
        if rules.must_reserve(self, command):
            yield StockReserved(sku=self.sku, order_id=command.order_id, quantity=command.quantity)

    def release(self, command: ReleaseStock) -> Iterator[Event]:
        rules.must_exist(self, command.sku)
        held = self.reserved.get(command.order_id)
        if held:
            yield StockReleased(sku=self.sku, order_id=command.order_id, quantity=held)

    def commit(self, command: CommitStock) -> Iterator[Event]:
        quantity = rules.to_commit(self, command)
        if quantity:
            yield StockCommitted(
                sku=self.sku,
                order_id=command.order_id,
                quantity=quantity,
                on_hand=self.on_hand - quantity,
            )

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case ProductAdded():
                self.sku, self.description = event.sku, event.description
                self.tracked, self.low_below = event.tracked, event.low_below
            case ProductRenamed():
                self.description = event.description
            case LowStockLevelSet():
                self.low_below = event.low_below
            case ProductRetired():
                self.retired = True
            case ProductRestored():
                self.retired = False
            case StockExpected():
                self._expect(event.reference, event.quantity, event.due)
            case StockReceived() | StockAdjusted() | StockCommitted():
                self._move(event)
            case StockReserved():
                self.reserved[event.order_id] = event.quantity
            case StockReleased():
                self.reserved.pop(event.order_id)

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
