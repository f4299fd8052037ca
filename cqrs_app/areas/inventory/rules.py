"""The rules of stock: each raises Refused with a code and a sentence, or returns what to do."""

from __future__ import annotations

from cqrs_app.areas.inventory.commands import (
    AddProduct,
    AdjustStock,
    ChangeReservation,
    CommitStock,
    ReserveStock,
)
from cqrs_app.areas.inventory.state import StockState
from cqrs_app.kernel import Refusal, rule

UNKNOWN = Refusal("no_such_product", "There is no product of this number.")
RETIRED = Refusal("product_retired", "The product is retired.")
NOT_TRACKED = Refusal("not_tracked", "It is not stocked: it is a fee.")
PRODUCT_EXISTS = Refusal("product_exists", "Another product has this number.")
STILL_RESERVED = Refusal("still_reserved", "Some of it is reserved for orders.")
NOT_RETIRED = Refusal("not_retired", "The product is not retired.")
BELOW_RESERVED = Refusal("below_reserved", "Fewer would be left than are reserved for orders.")
OUT_OF_STOCK = Refusal("out_of_stock", "Fewer are available than requested.")
RESERVED_OTHERWISE = Refusal(
    "reserved_otherwise", "Another quantity is reserved for this order already."
)
NOT_RESERVED = Refusal("not_reserved", "None of it is reserved for this order.")
MORE_THAN_RESERVED = Refusal("more_than_reserved", "Less of it is reserved for this order.")


@rule(UNKNOWN)
def exists(item: StockState, sku: str) -> None:
    if not item.sku:
        raise UNKNOWN.because(
            f"There is no product {sku}.",
            "Capital and small letters differ; a product has to be added first.",
        )


@rule(RETIRED, after=exists)
def offered(item: StockState, sku: str) -> None:
    if item.retired:
        raise RETIRED.because(f"Product {sku} is retired.", "Restore it first.")


@rule(NOT_TRACKED, after=offered)
def stocked(item: StockState, sku: str) -> None:
    _must_be_tracked(item)


@rule(NOT_TRACKED, after=exists)
def adjustable(item: StockState, sku: str) -> None:
    """Also applies to a retired product: its remaining stock can still be written off."""
    _must_be_tracked(item)


def must_be_the_same(item: StockState, command: AddProduct) -> None:
    """For a product that is added again."""
    same = (item.description, item.tracked) == (command.description, command.tracked)
    if item.retired or not same:
        what = "was retired; its number stays taken" if item.retired else "is there already"
        way_out = "Restore it instead." if item.retired else "Rename it, or choose another number."
        raise PRODUCT_EXISTS.because(f"Product {item.sku} {what}.", way_out)


@rule(STILL_RESERVED, after=offered)
def unreserved(item: StockState, sku: str) -> None:
    if item.reserved:
        raise STILL_RESERVED.because(
            f"{sum(item.reserved.values()):,} of product {sku} are reserved for "
            f"{_orders(len(item.reserved))}.",
            "Ship or release them first.",
        )


@rule(NOT_RETIRED, after=exists)
def retired(item: StockState, sku: str) -> None:
    if not item.retired:
        raise NOT_RETIRED.because(f"Product {sku} is not retired.")


def must_leave_reserved(item: StockState, command: AdjustStock) -> None:
    after, reserved = item.on_hand + command.difference, item.on_hand - item.available
    if after < reserved:
        raise BELOW_RESERVED.because(
            f"Product {item.sku} has {item.on_hand:,} on hand, {reserved:,} of it "
            "reserved for orders.",
            f"At most {item.available:,} can be taken off; release a reservation to take off more.",
        )


def must_reserve(item: StockState, command: ReserveStock) -> bool:
    """False where there is nothing to do: a fee, or what is reserved already."""
    held = item.reserved.get(command.order_id)
    if not item.tracked or held == command.quantity:
        return False
    if held is not None:
        raise RESERVED_OTHERWISE(
            f"{held:,} of product {item.sku} are reserved for order {command.order_id} already, "
            f"not {command.quantity:,}. That reservation is kept. Release it first to change it.",
        )
    if command.quantity > item.available:
        raise OUT_OF_STOCK(
            f"Only {item.available:,} of {command.quantity:,} available; none reserved. "
            f"Reduce the quantity or wait for stock.",
        )
    return True


def must_change_reservation(item: StockState, command: ChangeReservation) -> bool:
    """False where there is nothing to do: a fee, or what is reserved already."""
    if not item.tracked:
        return False
    held = item.reserved.get(command.order_id, 0)
    if not held:
        raise NOT_RESERVED.because(
            f"Nothing of product {item.sku} is reserved for order {command.order_id}.",
            "Reserve it first.",
        )
    more = command.quantity - held
    if more > 0:
        offered(item, item.sku)
    if more > item.available:
        raise OUT_OF_STOCK(
            f"Only {item.available:,} of {more:,} more available; {held:,} stay reserved. "
            f"Reduce the quantity or wait for stock.",
        )
    return more != 0


def to_commit(item: StockState, command: CommitStock) -> int:
    """How much ships; 0 for a fee."""
    if not item.tracked:
        return 0
    held = item.reserved.get(command.order_id, 0)
    if not held:
        raise NOT_RESERVED.because(
            f"Nothing of product {item.sku} is reserved for order {command.order_id}.",
            "Reserve it first.",
        )
    if command.quantity is not None and command.quantity > held:
        raise MORE_THAN_RESERVED.because(
            f"{held:,} of product {item.sku} are reserved for order "
            f"{command.order_id}; {command.quantity:,} cannot be shipped."
        )
    return held if command.quantity is None else command.quantity


def _must_be_tracked(item: StockState) -> None:
    if not item.tracked:
        raise NOT_TRACKED.because(f"Product {item.sku} is not stocked: it is a fee.")


def _orders(count: int) -> str:
    return "an order" if count == 1 else f"{count:,} orders"
