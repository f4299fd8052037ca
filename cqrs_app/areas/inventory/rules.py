"""The rules of stock: each raises Refused, with a code and a sentence, or says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqrs_app.kernel.errors import Refused

if TYPE_CHECKING:
    from cqrs_app.areas.inventory.commands import AddProduct, AdjustStock, CommitStock, ReserveStock
    from cqrs_app.areas.inventory.stock_item import StockItem

UNCHANGED = "Nothing was changed."


def must_exist(item: StockItem, sku: str) -> None:
    if not item.sku:
        raise Refused(
            "no_such_product",
            f"There is no product {sku}. {UNCHANGED} Capital and small letters differ; "
            f"a product has to be added first.",
        )


def must_be_offered(item: StockItem, sku: str) -> None:
    must_exist(item, sku)
    if item.retired:
        raise Refused("product_retired", f"Product {sku} is retired. {UNCHANGED} Restore it first.")


def must_be_stocked(item: StockItem, sku: str) -> None:
    must_be_offered(item, sku)
    _must_be_tracked(item)


def must_be_the_same(item: StockItem, command: AddProduct) -> None:
    """For a product that is added again."""
    same = (item.description, item.tracked) == (command.description, command.tracked)
    if item.retired or not same:
        what = "was retired; its number stays taken" if item.retired else "is there already"
        way_out = "Restore it instead." if item.retired else "Rename it, or choose another number."
        raise Refused("product_exists", f"Product {item.sku} {what}. {UNCHANGED} {way_out}")


def may_retire(item: StockItem, sku: str) -> None:
    must_be_offered(item, sku)
    if item.reserved:
        raise Refused(
            "still_reserved",
            f"{sum(item.reserved.values()):,} of product {sku} are reserved for "
            f"{_orders(len(item.reserved))}. {UNCHANGED} Send them out or release them first.",
        )


def may_restore(item: StockItem, sku: str) -> None:
    must_exist(item, sku)
    if not item.retired:
        raise Refused("not_retired", f"Product {sku} is not retired. {UNCHANGED}")


def may_adjust(item: StockItem, command: AdjustStock) -> None:
    """Also of a retired product: what is left of it must be able to leave the books."""
    must_exist(item, command.sku)
    _must_be_tracked(item)
    after, reserved = item.on_hand + command.difference, item.on_hand - item.available
    if after < reserved:
        raise Refused(
            "below_reserved",
            f"Product {item.sku} has {item.on_hand:,} on hand, {reserved:,} of it reserved for "
            f"orders. {UNCHANGED} At most {item.available:,} can be taken off; release a "
            f"reservation to take off more.",
        )


def must_reserve(item: StockItem, command: ReserveStock) -> bool:
    """False where nothing is to be done: a charge, or what is reserved already."""
    must_be_offered(item, command.sku)
    held = item.reserved.get(command.order_id)
    if not item.tracked or held == command.quantity:
        return False
    if held is not None:
        raise Refused(
            "reserved_otherwise",
            f"{held:,} of product {item.sku} are reserved for order {command.order_id} already, "
            f"not {command.quantity:,}. That reservation is kept. Release it first to change it.",
        )
    if command.quantity > item.available:
        raise Refused(
            "out_of_stock",
            f"{command.quantity:,} of product {item.sku} were asked for and {item.available:,} are "
            f"available. Nothing was reserved. Ask for fewer, or wait for a delivery.",
        )
    return True


def to_commit(item: StockItem, command: CommitStock) -> int:
    """How much leaves; 0 for a charge."""
    must_exist(item, command.sku)
    if not item.tracked:
        return 0
    held = item.reserved.get(command.order_id, 0)
    if not held:
        raise Refused(
            "not_reserved",
            f"Nothing of product {item.sku} is reserved for order {command.order_id}. {UNCHANGED} "
            f"Reserve it first.",
        )
    if command.quantity is not None and command.quantity > held:
        raise Refused(
            "more_than_reserved",
            f"{held:,} of product {item.sku} are reserved for order {command.order_id}; "
            f"{command.quantity:,} cannot be sent out. {UNCHANGED}",
        )
    return held if command.quantity is None else command.quantity


def _must_be_tracked(item: StockItem) -> None:
    if not item.tracked:
        raise Refused("not_tracked", f"No stock is kept of {item.sku}: it is a charge. {UNCHANGED}")


def _orders(count: int) -> str:
    return "an order" if count == 1 else f"{count:,} orders"
