"""What people do with orders and credit notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from cqrs_app.areas.orders.amounts import amount_of, price_of, value_of
from cqrs_app.areas.orders.types import (
    MOST_ADJUSTMENTS,
    MOST_LINES,
    AttachmentNumber,
    BillingAddress,
    Carrier,
    ChangedLine,
    CreditedLine,
    CreditNoteId,
    CustomerId,
    CustomerName,
    ExchangeFor,
    FileDigest,
    FileId,
    FileName,
    FileSize,
    MediaType,
    OptionalReason,
    OrderAdjustment,
    OrderLine,
    PersonalAddress,
    PersonalBillingAddress,
    ReceivedLine,
    ReturnedLine,
    ReturnId,
    ShippedLine,
    ShippingAddress,
    Tag,
    Tracking,
    person_of,
)
from cqrs_app.areas.orders.words import CancelReason, HoldReason, ReturnReason
from cqrs_app.areas.types import (
    HIGHEST_AMOUNT,
    MOST_UNITS,
    Country,
    CountryOrNone,
    Currency,
    Note,
    OrderId,
    Reason,
    identifier,
)
from cqrs_app.kernel import NEEDED, Command, Permission, Role, command

VIEW = Permission("orders.view", Role.VIEWER)
TAG = Permission("orders.tag", Role.OPERATOR)
ATTACH = Permission("orders.attach", Role.OPERATOR)
REMOVE_ATTACHMENT = Permission("orders.remove_attachment", Role.SUPERVISOR)
VIEW_CUSTOMERS = Permission("customers.view", Role.VIEWER)
FOLDED = Meta(extra={"folded": True})
OF_CUSTOMER = Meta(extra={"group": "Customer"})


@command(label="Place order", permission=Permission("orders.place", Role.OPERATOR))
class PlaceOrder(Command):
    """Create an order. It will need approval."""

    customer_id: Annotated[CustomerId, OF_CUSTOMER] = ""
    customer_name: Annotated[CustomerName, OF_CUSTOMER] = ""
    order_id: Annotated[OrderId, Meta(extra={"group": "Order"})]
    currency: Annotated[Currency, Meta(extra={"group": "Order"})]
    # At least one is the order's own rule: history has orders of nothing.
    lines: Annotated[
        tuple[OrderLine, ...], Meta(title="Lines", max_length=MOST_LINES, extra={"rows": 5})
    ]
    adjustments: Annotated[
        tuple[OrderAdjustment, ...],
        Meta(
            title="Discounts, shipping and tax",
            description="What is taken off the whole order, or added to it.",
            max_length=MOST_ADJUSTMENTS,
            extra={"folded": True},
        ),
    ] = ()
    shipping_address: Annotated[
        PersonalAddress, Meta(description="Needed before the order can ship.")
    ] = ShippingAddress()
    billing_address: Annotated[PersonalBillingAddress, FOLDED] = BillingAddress()
    country: Annotated[
        CountryOrNone,
        Meta(
            title="Country",
            description="Empty: the country of the address.",
            extra={"group": "Country of the order", "folded": True},
        ),
    ] = ""
    exchange_for: Annotated[ExchangeFor, Meta(extra={"group": "Exchange", "folded": True})] = ""

    @property
    def concerns(self) -> str:
        return person_of(self.customer_id)

    def check(self) -> Iterator[tuple[str, str]]:
        if not (self.country or self.shipping_address.country or self.customer_id):
            yield "shipping_address.country", NEEDED
        yield from _not_too_much(price_of(self.lines))
        yield from _not_too_much(amount_of(self.lines, self.adjustments))
        yield from _not_too_many(self.lines)
        yield from _not_too_low(self.lines, self.adjustments)


@command(
    label="Approve order",
    permission=Permission("orders.approve", Role.OPERATOR),
    minds_version=True,
    undoable=True,
)
class ApproveOrder(Command):
    """Release this order for shipping."""

    order_id: OrderId


@command(
    label="Reject order",
    permission=Permission("orders.reject", Role.SUPERVISOR),
    minds_version=True,
    risky=True,
)
class RejectOrder(Command):
    """Reject an order that needs approval."""

    order_id: OrderId
    reason: Reason


@command(
    label="Hold order", permission=Permission("orders.hold", Role.OPERATOR), minds_version=True
)
class HoldOrder(Command):
    """Put this order on hold until it is released."""

    order_id: OrderId
    reason: Annotated[HoldReason, Meta(title="Reason")]
    note: Note = ""


@command(
    label="Release order",
    permission=Permission("orders.release", Role.OPERATOR),
    minds_version=True,
    undoable=True,
)
class ReleaseOrder(Command):
    """Resume this order."""

    order_id: OrderId


@command(
    label="Change shipping address",
    permission=Permission("orders.address", Role.OPERATOR),
    minds_version=True,
)
class ChangeShippingAddress(Command):
    """Change where the remaining items ship."""

    order_id: OrderId
    address: PersonalAddress

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("line1", "city", "country"):
            if not getattr(self.address, name):
                yield "address", "Street, city and country are needed."
                return


@command(
    label="Change lines",
    permission=Permission("orders.change_lines", Role.SUPERVISOR),
    minds_version=True,
)
class ChangeOrderLines(Command):
    """Change quantities and prices, add lines or remove them, before they ship; change discounts,
    shipping and tax of the whole order.
    """

    order_id: OrderId
    lines: Annotated[
        tuple[ChangedLine, ...],
        Meta(
            title="Lines",
            description="A quantity of 0 removes a line; lines left out stay as they are.",
            max_length=MOST_LINES,
        ),
    ] = ()
    added: Annotated[
        tuple[OrderLine, ...],
        Meta(title="New lines", max_length=MOST_LINES),
    ] = ()
    adjustments: Annotated[
        Annotated[tuple[OrderAdjustment, ...], Meta(max_length=MOST_ADJUSTMENTS)] | None,
        Meta(
            title="Discounts, shipping and tax",
            description="All of them, for the whole order. Left out, they stay as they are.",
            extra={"help": "For the whole order.", "folded": True},
        ),
    ] = None

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed_once(self.lines)
        sentences = (
            *_not_too_much(amount_of(self.added)),
            *_not_too_many(self.added),
            *_not_too_low(self.added, ()),
        )
        for _, sentence in sentences:
            yield "added", sentence


@command(
    label="Assign to customer",
    permission=Permission("orders.assign", Role.OPERATOR),
    minds_version=True,
)
class AssignOrderToCustomer(Command):
    """Give a guest's order, or one of another customer, to the customer whose order it is."""

    order_id: OrderId
    customer_id: Annotated[str, identifier("Customer number", "12583")]
    customer_name: CustomerName = ""

    @property
    def concerns(self) -> str:
        return person_of(self.customer_id)


@command(
    label="Change billing address",
    permission=Permission("orders.billing_address", Role.OPERATOR),
    minds_version=True,
)
class ChangeBillingAddress(Command):
    """Change where the invoice goes."""

    order_id: OrderId
    address: PersonalBillingAddress = BillingAddress()


@command(label="Add tag", permission=TAG)
class AddOrderTag(Command):
    """Mark this order with a word that the list can be filtered by."""

    order_id: OrderId
    tag: Tag


@command(label="Remove tag", permission=TAG)
class RemoveOrderTag(Command):
    """Take a tag off this order."""

    order_id: OrderId
    tag: Tag


@command(label="Attach file", permission=ATTACH)
class AttachFile(Command):
    """Keep a file with this order. Files are sent on the order's page."""

    order_id: OrderId
    file_id: FileId
    name: FileName
    media_type: MediaType
    size: FileSize
    sha256: FileDigest


@command(
    label="Remove attachment",
    permission=REMOVE_ATTACHMENT,
    risky=True,
)
class RemoveAttachment(Command):
    """Delete this file for good. The timeline keeps that it was there."""

    order_id: OrderId
    number: AttachmentNumber
    reason: OptionalReason = ""


@command(label="Add note", permission=Permission("orders.note", Role.OPERATOR))
class AddOrderNote(Command):
    """Add an internal note, saved in the order history."""

    order_id: OrderId
    note: Note

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.note:
            yield "note", NEEDED


@command(
    label="Ship order", permission=Permission("orders.ship", Role.OPERATOR), minds_version=True
)
class ShipOrder(Command):
    """Record a full or partial shipment."""

    order_id: OrderId
    lines: Annotated[
        tuple[ShippedLine, ...],
        Meta(
            title="Lines",
            description="Leave empty to ship all that is left.",
            max_length=MOST_LINES,
        ),
    ] = ()
    carrier: Carrier = ""
    tracking: Tracking = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed_once(self.lines)


@command(
    label="Mark as delivered",
    permission=Permission("orders.deliver", Role.OPERATOR),
    undoable=True,
)
class DeliverOrder(Command):
    """Confirm delivery."""

    order_id: OrderId


@command(
    label="Cancel order",
    permission=Permission("orders.cancel", Role.SUPERVISOR),
    minds_version=True,
    risky=True,
)
class CancelOrder(Command):
    """Cancel this order. Nothing has shipped yet."""

    order_id: OrderId
    reason: Annotated[CancelReason, Meta(title="Reason")]
    note: Note = ""


@command(
    label="Cancel remaining items",
    permission=Permission("orders.cancel_remaining", Role.SUPERVISOR),
    minds_version=True,
    risky=True,
)
class CancelRemainingItems(Command):
    """Close an order that shipped in part: its remaining items will not ship."""

    order_id: OrderId
    reason: Annotated[CancelReason, Meta(title="Reason")]
    note: Note = ""


@command(
    label="Request return",
    permission=Permission("orders.return", Role.OPERATOR),
    minds_version=True,
)
class RequestReturn(Command):
    """Record what the customer will send back. Stock and money change when it is received."""

    order_id: OrderId
    lines: Annotated[
        tuple[ReturnedLine, ...], Meta(title="Lines", min_length=1, max_length=MOST_LINES)
    ]
    reason: Annotated[ReturnReason, Meta(title="Reason")]
    note: Note = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed_once(self.lines)


@command(
    label="Receive return",
    permission=Permission("orders.receive_return", Role.OPERATOR),
    minds_version=True,
)
class ReceiveReturn(Command):
    """Record what came back. Restocked units can be sold again; nothing is refunded yet."""

    order_id: OrderId
    return_id: ReturnId
    lines: Annotated[
        tuple[ReceivedLine, ...],
        Meta(
            title="Lines",
            description="Leave empty to restock all that was requested.",
            max_length=MOST_LINES,
        ),
    ] = ()
    note: Note = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed_once(self.lines)
        if self.lines and not any(line.restocked or line.written_off for line in self.lines):
            yield "lines", "Enter what came back, or cancel the return."


@command(
    label="Cancel return",
    permission=Permission("orders.cancel_return", Role.OPERATOR),
    minds_version=True,
)
class CancelReturn(Command):
    """Close a return of which nothing comes back."""

    order_id: OrderId
    return_id: ReturnId
    note: Note = ""


@command(label="Record credit note", permission=Permission("credit_notes.record", Role.SUPERVISOR))
class RecordCreditNote(Command):
    """Credit a customer's account.

    It belongs to no order, and may come to more than any one order did.
    """

    credit_note_id: CreditNoteId
    customer_id: CustomerId = ""
    country: Country
    currency: Currency
    reason: OptionalReason = ""
    lines: Annotated[
        tuple[CreditedLine, ...], Meta(title="Lines", min_length=1, max_length=MOST_LINES)
    ]

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _not_too_much(price_of(self.lines))


def _listed_once(lines: Iterable[Any]) -> Iterator[tuple[str, str]]:
    seen = set()
    for line in lines:
        if line.line_no in seen:
            yield "lines", f"Line {line.line_no} is listed twice."
            return
        seen.add(line.line_no)


def _not_too_many(lines: tuple[OrderLine, ...]) -> Iterator[tuple[str, str]]:
    """Reserved, shipped and returned as one quantity, whatever the lines."""
    units = Counter[str]()
    for line in lines:
        units[line.sku] += line.quantity
    for sku, quantity in units.items():
        if quantity > MOST_UNITS:
            yield "lines", f"The lines of {sku} come to more than {MOST_UNITS:,} units."


def _not_too_much(amount: Decimal) -> Iterator[tuple[str, str]]:
    if amount > HIGHEST_AMOUNT:
        yield "lines", f"The lines come to more than {HIGHEST_AMOUNT:,}."


def _not_too_low(
    lines: tuple[OrderLine, ...], adjustments: tuple[OrderAdjustment, ...]
) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        if value_of(line) < 0:
            yield "lines", f"The discount of line {number} is more than the line costs."
            return
    if amount_of(lines, adjustments) < 0:
        yield "adjustments", "The discounts are more than the order costs."
