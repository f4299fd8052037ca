"""What happened to orders and credit notes. An event carries what its readers need, so that no
projection has to look elsewhere. Reason codes are plain text: history keeps a reason after the shop
has dropped it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any

from cqrs_app.areas.orders.types import person_of
from cqrs_app.kernel import PERSONAL, Event, event, value


@value
class Address:
    """Where an order or its invoice goes; any part may be empty."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""


@value
class PricedLine:
    """One line as it was credited, with its own price."""

    sku: str
    description: str
    quantity: int
    unit_price: Decimal


@value
class OrderedLine:
    """One line as it was ordered, with its own price; `discount` is off the whole line."""

    sku: str
    description: str
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)


@value
class Adjustment:
    """An order-wide discount (taken off), or shipping, tax or fee (added); the amount is positive
    either way.
    """

    kind: str
    label: str
    amount: Decimal


@value
class SentLine:
    """How much of which line left; lines count from 1."""

    line_no: int
    quantity: int


@value
class CancelledLine:
    """How much of which line will not ship; lines count from 1."""

    line_no: int
    quantity: int


@value
class LineTerms:
    """How much of which line, at what price, with what discount off the whole line; lines count
    from 1 and keep their number."""

    line_no: int
    quantity: int
    unit_price: Decimal
    discount: Decimal


@value
class LineToReturn:
    """How much of which line is to come back; lines count from 1."""

    line_no: int
    quantity: int


@value
class LineReceived:
    """What came back of which line: units to restock, and units written off."""

    line_no: int
    restocked: int
    written_off: int


@event(schema=3)
class OrderPlaced(Event):
    """`customer_id` is empty for a guest. `total` is the sum over the lines less their discounts,
    with the adjustments, exactly. An empty billing address is the shipping address.
    `exchange_for` is the order whose returned items it replaces, or empty."""

    order_id: str
    customer_id: str
    customer_name: Annotated[str, PERSONAL]
    country: str
    shipping_address: Annotated[Address, PERSONAL]
    currency: str
    lines: tuple[OrderedLine, ...]
    total: Decimal
    adjustments: tuple[Adjustment, ...] = ()
    billing_address: Annotated[Address, PERSONAL] = Address()
    exchange_for: str = ""

    @property
    def concerns(self) -> str:
        return person_of(self.customer_id)


@event()
class OrderApproved(Event):
    order_id: str


@event()
class OrderRejected(Event):
    order_id: str
    reason: str
    customer_id: str
    currency: str
    total: Decimal


@event()
class OrderHeld(Event):
    order_id: str
    reason: str
    note: str


@event()
class OrderReleased(Event):
    """`status` is the status before the hold, which the order has again."""

    order_id: str
    status: str


@event()
class ShippingAddressChanged(Event):
    order_id: str
    address: Annotated[Address, PERSONAL]


@event(schema=2)
class OrderLinesChanged(Event):
    """`lines` are the changed lines with their new values (quantity 0 if removed), `before` their
    old values. `added` get the numbers after the order's last line. `difference` is what the order
    costs more, negative if less; `total` is the new total. `adjustments` are all order-wide
    discounts and charges from now on, or None if they stay as they are; then `adjustments_before`
    is empty.
    """

    order_id: str
    customer_id: str
    currency: str
    lines: tuple[LineTerms, ...]
    before: tuple[LineTerms, ...]
    added: tuple[OrderedLine, ...]
    difference: Decimal
    total: Decimal
    adjustments: tuple[Adjustment, ...] | None = None
    adjustments_before: tuple[Adjustment, ...] = ()


@event()
class OrderAssigned(Event):
    """The order is `customer_id`'s from now on. `former_customer_id` is empty for a guest. What is
    personal in the order is repeated, for it is now the customer's; `total` is what the order
    costs, and `cancelled` what remaining items that were cancelled would have cost."""

    order_id: str
    customer_id: str
    former_customer_id: str
    customer_name: Annotated[str, PERSONAL]
    shipping_address: Annotated[Address, PERSONAL]
    billing_address: Annotated[Address, PERSONAL]
    country: str
    currency: str
    total: Decimal
    cancelled: Decimal
    placed_at: datetime

    @property
    def concerns(self) -> str:
        return person_of(self.customer_id)


@event()
class BillingAddressChanged(Event):
    """An empty one is the shipping address."""

    order_id: str
    address: Annotated[Address, PERSONAL]


@event()
class OrderTagAdded(Event):
    order_id: str
    tag: str


@event()
class OrderTagRemoved(Event):
    order_id: str
    tag: str


@event()
class FileAttached(Event):
    """A file is kept with the order; attachments of an order count 1, 2, ... `size` is in bytes,
    `sha256` hexadecimal. The file itself is in no event. Its name is personal data of
    `customer_id`, of a guest where that is empty."""

    order_id: str
    customer_id: str
    number: int
    file_id: str
    name: Annotated[str, PERSONAL]
    media_type: str
    size: int
    sha256: str

    @property
    def concerns(self) -> str:
        return person_of(self.customer_id)


@event()
class AttachmentRemoved(Event):
    """The file is deleted for good."""

    order_id: str
    number: int
    file_id: str
    reason: str


@event()
class OrderNoteAdded(Event):
    order_id: str
    note: str


@event()
class OrderShipped(Event):
    """`complete`: nothing is left to ship after this."""

    order_id: str
    lines: tuple[SentLine, ...]
    carrier: str
    tracking: str
    complete: bool


@event()
class OrderDelivered(Event):
    order_id: str


@event()
class OrderCancelled(Event):
    order_id: str
    reason: str
    note: str
    customer_id: str
    currency: str
    total: Decimal


@event()
class RemainingItemsCancelled(Event):
    """Nothing else ships. `amount` is what these lines would have cost, exactly."""

    order_id: str
    lines: tuple[CancelledLine, ...]
    reason: str
    note: str
    customer_id: str
    currency: str
    amount: Decimal


@event()
class ReturnRequested(Event):
    """The customer will send these lines back. Returns of an order count R1, R2, ..."""

    order_id: str
    return_id: str
    lines: tuple[LineToReturn, ...]
    reason: str
    note: str


@event()
class ReturnReceived(Event):
    """It came back, and the return is closed. `amount` is what these units cost, exactly;
    `complete`: everything that shipped is back."""

    order_id: str
    return_id: str
    lines: tuple[LineReceived, ...]
    note: str
    currency: str
    amount: Decimal
    complete: bool


@event()
class ReturnCancelled(Event):
    order_id: str
    return_id: str
    note: str


@event()
class OrderFlagged(Event):
    """Imported history that today's rules would have refused: `task` is the command's name,
    `code` and `sentence` are the refusal's. What happened follows as an event of its own."""

    order_id: str
    task: str
    code: str
    sentence: str


@event()
class CreditNoteRecorded(Event):
    """`amount` is what is credited, a positive number."""

    credit_note_id: str
    customer_id: str
    country: str
    currency: str
    reason: str
    lines: tuple[PricedLine, ...]
    amount: Decimal


def is_of_an_order(event: type[Event]) -> bool:
    """Whether it happened to one order, and so belongs to its history."""
    return event.__module__ == __name__ and "order_id" in event.__annotations__


def _placed_1(payload: dict[str, Any]) -> dict[str, Any]:
    """Events from before there were discounts, adjustments and billing addresses: the order had
    none.
    """
    return payload


def _placed_2(payload: dict[str, Any]) -> dict[str, Any]:
    """Events from before an order named the one it is an exchange for: it was none."""
    return payload


def _lines_changed_1(payload: dict[str, Any]) -> dict[str, Any]:
    """Events from before order-wide discounts and charges could be changed: they stayed."""
    return payload


UPCASTERS = MappingProxyType(
    {
        ("OrderPlaced", 1): _placed_1,
        ("OrderPlaced", 2): _placed_2,
        ("OrderLinesChanged", 1): _lines_changed_1,
    }
)
