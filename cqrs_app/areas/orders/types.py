"""Types of the fields of orders' commands, with their limits and labels."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.orders.words import AdjustmentKind
from cqrs_app.areas.types import (
    HIGHEST_PRICE,
    MOST_UNITS,
    CountryOrNone,
    ItemName,
    Sku,
    address_part,
    identifier,
    money,
    reason,
)
from cqrs_app.kernel import ONE_LINE, PERSONAL, UUID, NormalForm, value

_ID_OR_NONE = r"^([A-Za-z0-9][A-Za-z0-9._\-]*)?(?!\n)$"

PERSON = "customer-"
MOST_LINES = 5_000
MOST_ADJUSTMENTS = 50

CreditNoteId = Annotated[str, identifier("Credit note number", "C10042")]
CustomerId = Annotated[
    str,
    Meta(
        title="Customer number",
        examples=["12583"],
        description="Empty for a guest.",
        pattern=_ID_OR_NONE,
        max_length=60,
        extra={"lookup": "customer", "help": "By number, name or e-mail. Empty for a guest."},
    ),
]
CustomerName = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Customer name",
        examples=["Ana Lima"],
        pattern=ONE_LINE,
        max_length=200,
        extra={"autocomplete": "name"},
    ),
]
Quantity = Annotated[int, Meta(title="Quantity", ge=1, le=MOST_UNITS)]
QuantityOrNone = Annotated[int, Meta(title="Quantity", ge=0, le=MOST_UNITS)]
Price = Annotated[
    Decimal,
    money(
        "Unit price",
        le=HIGHEST_PRICE,
        description="In the order's currency, at most four digits after the point.",
    ),
]
Discount = Annotated[
    Decimal,
    money("Discount", description="Off the whole line, in the order's currency."),
]
DiscountOrShare = Annotated[
    Decimal | None,
    money("Discount", description="Off the whole line. Empty: the present one, by quantity."),
]
ReturnId = Annotated[
    str,
    Meta(
        title="Return",
        examples=["R1"],
        description="Each order counts its returns: R1, R2 and so on.",
        pattern=r"^R[1-9][0-9]{0,5}(?!\n)$",
        max_length=7,
    ),
]
ExchangeFor = Annotated[
    str,
    Meta(
        title="Exchange for",
        description="The number of the order whose returned items this one replaces.",
        pattern=_ID_OR_NONE,
        max_length=60,
    ),
]
LineNumber = Annotated[int, Meta(title="Line", ge=1, le=MOST_LINES)]
OptionalReason = Annotated[str, reason(least=None)]
Carrier = Annotated[
    str,
    Meta(
        title="Carrier",
        examples=["DHL"],
        description="Such as DHL.",
        pattern=ONE_LINE,
        max_length=60,
    ),
]
Tracking = Annotated[
    str,
    Meta(title="Tracking number", examples=["JD014600003"], pattern=ONE_LINE, max_length=100),
]


MOST_TAGS = 20
MOST_ATTACHMENTS = 20

AttachmentNumber = Annotated[
    int,
    Meta(
        title="Attachment number",
        description="Each order counts its attachments.",
        examples=[1],
        ge=1,
        le=1_000_000,
    ),
]
FileId = Annotated[
    str,
    Meta(
        title="File",
        description="The order's page makes it when a file is sent.",
        examples=["5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11"],
        pattern=UUID,
        min_length=36,
        max_length=36,
    ),
]
FileName = Annotated[
    str,
    PERSONAL,
    Meta(
        title="File name",
        examples=["damage.jpg"],
        pattern=ONE_LINE,
        min_length=1,
        max_length=200,
    ),
]
FileSize = Annotated[int, Meta(title="Size in bytes", examples=[48_213], ge=1, le=2**31)]
MediaType = Annotated[
    str,
    Meta(
        title="Media type", examples=["image/jpeg"], pattern=ONE_LINE, min_length=1, max_length=100
    ),
]
FileDigest = Annotated[
    str,
    Meta(
        title="SHA-256 of the file",
        examples=["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
        pattern=r"^[0-9a-f]{64}(?!\n)$",
        min_length=64,
        max_length=64,
    ),
]


def _tag(least: int | None) -> Meta:
    return Meta(
        title="Tag",
        examples=["gift"],
        description="A short word. Capital letters make no difference.",
        pattern=ONE_LINE,
        min_length=least,
        max_length=30,
    )


_IS_TAG = NormalForm(lambda text: " ".join(text.casefold().split()))
Tag = Annotated[str, _IS_TAG, _tag(1)]
TagOrAny = Annotated[str, _IS_TAG, _tag(None)]


@value
class ShippingAddress:
    """Where an order ships to. Every part may be empty: imported history has no addresses."""

    name: Annotated[str, address_part("Recipient", "name", 200, "Ana Lima")] = ""
    line1: Annotated[str, address_part("Street", "address-line1", 200, "Rue Haute 5")] = ""
    line2: Annotated[str, address_part("Second line", "address-line2", 200)] = ""
    postal_code: Annotated[str, address_part("Postal code", "postal-code", 30, "59000")] = ""
    city: Annotated[str, address_part("City", "address-level2", 100, "Lille")] = ""
    country: CountryOrNone = ""


PersonalAddress = Annotated[ShippingAddress, PERSONAL]


def _billing(title: str, part: str, most: int, *examples: str) -> Meta:
    return address_part(title, part, most, *examples, section="billing")


@value
class BillingAddress:
    """Where the invoice goes; empty: to the shipping address."""

    name: Annotated[str, _billing("Recipient", "name", 200, "Lima SARL")] = ""
    line1: Annotated[str, _billing("Street", "address-line1", 200, "Rue Haute 5")] = ""
    line2: Annotated[str, _billing("Second line", "address-line2", 200)] = ""
    postal_code: Annotated[str, _billing("Postal code", "postal-code", 30, "59000")] = ""
    city: Annotated[str, _billing("City", "address-level2", 100, "Lille")] = ""
    country: CountryOrNone = ""


PersonalBillingAddress = Annotated[
    BillingAddress,
    PERSONAL,
    Meta(title="Billing address", description="Empty if it is the shipping address."),
]


@value
class OrderLine:
    """One line of an order; it keeps its own price, and several may have the same SKU."""

    sku: Sku
    description: ItemName = ""
    quantity: Quantity
    unit_price: Price
    discount: Discount = Decimal(0)


@value
class OrderAdjustment:
    """An order-wide discount, or the order's shipping, tax or fee."""

    kind: Annotated[AdjustmentKind, Meta(title="Kind")]
    label: Annotated[
        str,
        Meta(
            title="Label",
            examples=["Standard shipping"],
            description="Shown with the amount; empty for the name of its kind.",
            pattern=ONE_LINE,
            max_length=100,
        ),
    ] = ""
    amount: Annotated[Decimal, money("Amount", description="Positive, also for a discount.")]


@value
class ShippedLine:
    """How many units of which line ship; lines count from 1."""

    line_no: LineNumber
    quantity: Quantity


@value
class ChangedLine:
    """A line that is on the order; it keeps its number and its SKU. A quantity of 0 removes it."""

    line_no: LineNumber
    quantity: QuantityOrNone
    unit_price: Price
    discount: DiscountOrShare = None


@value
class ReturnedLine:
    """How much of which line comes back; lines count from 1."""

    line_no: LineNumber
    quantity: Quantity


@value
class ReceivedLine:
    """What came back of a line: units that can be sold again, and units that cannot."""

    line_no: LineNumber
    restocked: Annotated[int, Meta(title="Restocked", ge=0, le=MOST_UNITS)] = 0
    written_off: Annotated[int, Meta(title="Written off", ge=0, le=MOST_UNITS)] = 0


@value
class CreditedLine:
    """One line of a credit note; the amounts are what is credited."""

    sku: Sku
    description: ItemName = ""
    quantity: Quantity
    unit_price: Price


def person_of(customer_id: str) -> str:
    """The stream of the person whose data an order of this customer holds: the customer's own, in
    the customers' area. Empty for a guest, whose data is the order's."""
    return f"{PERSON}{customer_id}" if customer_id else ""
