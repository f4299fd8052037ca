"""A product and its stock: the actions on it and the events they lead to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.areas.inventory.commands import (
    AddProduct,
    AdjustStock,
    ChangeReservation,
    CommitStock,
    ExpectStock,
    ReceiveStock,
    ReleaseStock,
    RenameProduct,
    ReserveStock,
    RestoreProduct,
    RetireProduct,
    SetLowStockLevel,
    SetProductPrice,
)
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
from cqrs_app.areas.inventory.rules import (
    BELOW_RESERVED,
    MORE_THAN_RESERVED,
    NOT_RESERVED,
    OUT_OF_STOCK,
    PRODUCT_EXISTS,
    RESERVED_OTHERWISE,
    RETIRED,
    adjustable,
    exists,
    must_be_the_same,
    must_change_reservation,
    must_leave_reserved,
    must_reserve,
    offered,
    retired,
    stocked,
    to_commit,
    unreserved,
)
from cqrs_app.areas.inventory.state import Expected, StockState
from cqrs_app.kernel import Event, handles
from cqrs_app.standards.money import exact


@dataclass
class StockItem(StockState):
    """One product of the shop, with its stock."""

    @handles(AddProduct, refusals=[PRODUCT_EXISTS])
    def add(self, command: AddProduct) -> Iterator[Event]:
        if self.sku:
            must_be_the_same(self, command)
            return
        yield ProductAdded(
            sku=command.sku,
            description=command.description,
            tracked=command.tracked,
            low_below=command.low_below,
        )

    @handles(RenameProduct, when=offered)
    def rename(self, command: RenameProduct) -> Iterator[Event]:
        if command.description != self.description:
            yield ProductRenamed(sku=self.sku, description=command.description)

    @handles(SetProductPrice, when=offered)
    def set_price(self, command: SetProductPrice) -> Iterator[Event]:
        currency = command.currency
        price = None if command.price is None else exact(command.price, currency)
        if price != self.prices.get(currency):
            yield ProductPriceSet(sku=self.sku, currency=currency, price=price)

    @handles(SetLowStockLevel, when=stocked)
    def set_low_stock_level(self, command: SetLowStockLevel) -> Iterator[Event]:
        if command.low_below != self.low_below:
            yield LowStockLevelSet(sku=self.sku, low_below=command.low_below)

    @handles(RetireProduct, when=unreserved)
    def retire(self, command: RetireProduct) -> Iterator[Event]:
        yield ProductRetired(sku=self.sku)

    @handles(RestoreProduct, when=retired)
    def restore(self, command: RestoreProduct) -> Iterator[Event]:
        yield ProductRestored(sku=self.sku)

    @handles(ExpectStock, when=stocked)
    def expect(self, command: ExpectStock) -> Iterator[Event]:
        before = self.expected.get(command.reference)
        now = Expected(command.quantity, command.due) if command.quantity else None
        if now != before:
            yield StockExpected(
                sku=self.sku,
                reference=command.reference,
                quantity=command.quantity,
                due=command.due,
            )

    @handles(ReceiveStock, when=stocked)
    def receive(self, command: ReceiveStock) -> Iterator[Event]:
        announced = self.expected.get(command.reference)
        yield StockReceived(
            sku=self.sku,
            quantity=command.quantity,
            reference=command.reference,
            expected=min(command.quantity, announced.quantity) if announced else 0,
            on_hand=self.on_hand + command.quantity,
        )

    @handles(AdjustStock, when=adjustable, refusals=[BELOW_RESERVED])
    def adjust(self, command: AdjustStock) -> Iterator[Event]:
        must_leave_reserved(self, command)
        yield StockAdjusted(
            sku=self.sku,
            difference=command.difference,
            reason=str(command.reason),
            note=command.note,
            on_hand=self.on_hand + command.difference,
        )

    @handles(ReserveStock, when=offered, refusals=[OUT_OF_STOCK, RESERVED_OTHERWISE])
    def reserve(self, command: ReserveStock) -> Iterator[Event]:
        if must_reserve(self, command):
            yield StockReserved(sku=self.sku, order_id=command.order_id, quantity=command.quantity)

    @handles(ChangeReservation, when=exists, refusals=[NOT_RESERVED, RETIRED, OUT_OF_STOCK])
    def change_reservation(self, command: ChangeReservation) -> Iterator[Event]:
        if must_change_reservation(self, command):
            yield StockReservationChanged(
                sku=self.sku,
                order_id=command.order_id,
                quantity=command.quantity,
                before=self.reserved[command.order_id],
            )

    @handles(ReleaseStock, when=exists)
    def release(self, command: ReleaseStock) -> Iterator[Event]:
        held = self.reserved.get(command.order_id)
        if held:
            yield StockReleased(sku=self.sku, order_id=command.order_id, quantity=held)

    @handles(CommitStock, when=exists, refusals=[NOT_RESERVED, MORE_THAN_RESERVED])
    def commit(self, command: CommitStock) -> Iterator[Event]:
        quantity = to_commit(self, command)
        if quantity:
            yield StockCommitted(
                sku=self.sku,
                order_id=command.order_id,
                quantity=quantity,
                on_hand=self.on_hand - quantity,
            )
