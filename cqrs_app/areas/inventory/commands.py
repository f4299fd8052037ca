"""What people, and the processes that follow orders, do with products and their stock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.inventory.types import (
    Difference,
    Due,
    LowBelow,
    ProductPrice,
    Quantity,
    QuantityOrNone,
    Reference,
    Tracked,
)
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.areas.types import NEW, Currency, ItemName, Note, OrderId, Sku
from cqrs_app.kernel import Command, Permission, Role, command

VIEW = Permission("inventory.view", Role.VIEWER)
RECEIVE = Permission("inventory.receive", Role.OPERATOR)
ADJUST = Permission("inventory.adjust", Role.SUPERVISOR)
MANAGE = Permission("inventory.manage", Role.SUPERVISOR)
RESERVE = Permission("inventory.reserve", Role.SUPERVISOR)


@command(label="Add product", permission=MANAGE)
class AddProduct(Command):
    """Start tracking stock of a product. Adding it again unchanged has no effect."""

    sku: Annotated[Sku, NEW]
    description: ItemName = ""
    tracked: Tracked = True
    low_below: LowBelow = 0


@command(label="Rename product", permission=MANAGE)
class RenameProduct(Command):
    """Change the name. The SKU stays the same."""

    sku: Sku
    description: ItemName


@command(label="Set price", permission=MANAGE)
class SetProductPrice(Command):
    """Set what one unit costs in a currency. Orders that are already placed keep their prices."""

    sku: Sku
    currency: Currency
    price: ProductPrice | None = None


@command(label="Set low-stock level", permission=MANAGE)
class SetLowStockLevel(Command):
    """Set the stock level below which the product counts as low."""

    sku: Sku
    low_below: LowBelow


@command(label="Retire product", permission=MANAGE, risky=True)
class RetireProduct(Command):
    """Stop reserving and receiving this product. Stock on hand stays recorded."""

    sku: Sku


@command(label="Restore product", permission=MANAGE)
class RestoreProduct(Command):
    """Allow the retired product to be reserved and received again."""

    sku: Sku


@command(label="Add expected delivery", permission=RECEIVE)
class ExpectStock(Command):
    """Announce a delivery. Announced again under the same number, the newer quantity and day hold;
    a quantity of 0 withdraws it."""

    sku: Sku
    reference: Reference
    quantity: QuantityOrNone
    due: Due


@command(label="Receive stock", permission=RECEIVE)
class ReceiveStock(Command):
    """Record a delivery. It replaces the expected delivery with the same number."""

    sku: Sku
    reference: Annotated[Reference, Meta(extra={"lookup": "delivery"})]
    quantity: Quantity


@command(label="Adjust stock", permission=ADJUST, risky=True)
class AdjustStock(Command):
    """Correct the stock count. It cannot go below what is reserved for orders."""

    sku: Sku
    difference: Difference
    reason: Annotated[AdjustReason, Meta(title="Reason")]
    note: Note = ""

    def check(self) -> Iterator[tuple[str, str]]:
        if self.difference == 0:
            yield "difference", "Write how many more or fewer there are; 0 changes nothing."


@command(label="Reserve stock", permission=RESERVE)
class ReserveStock(Command):
    """Reserve stock for an order: the whole quantity, or nothing. Reserving again for the same
    order has no effect.
    """

    sku: Sku
    order_id: OrderId
    quantity: Quantity


@command(label="Change reservation", permission=RESERVE)
class ChangeReservation(Command):
    """Change how much is reserved for an order. If not enough is available, the reservation stays
    as it is.
    """

    sku: Sku
    order_id: OrderId
    quantity: Quantity


@command(label="Release stock", permission=RESERVE)
class ReleaseStock(Command):
    """Release the stock reserved for an order. Without a reservation nothing changes."""

    sku: Sku
    order_id: OrderId


@command(label="Commit stock", permission=RESERVE)
class CommitStock(Command):
    """Record that stock reserved for an order, or a part of it, has shipped."""

    sku: Sku
    order_id: OrderId
    quantity: Annotated[
        Quantity | None, Meta(title="Quantity", description="Leave empty for all of it.")
    ] = None
