"""The kinds of values that orders' commands are made of, with their limits and labels."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from cqrs_app.areas.types import country, identifier, paragraph
from cqrs_app.kernel import ONE_LINE, PERSONAL, decimal_meta, value

_ID_OR_NONE = r"^([A-Za-z0-9][A-Za-z0-9._\-]*)?(?!\n)$"

PERSON = "customer-"
MOST_LINES = 5_000
HIGHEST_AMOUNT = Decimal(1_000_000_000_000)
"""The most one order or credit note may come to, in its currency; sums of many stay exact."""

CreditNoteId = Annotated[str, identifier("Credit note number", "C10042")]
CustomerId = Annotated[
    str,
    Meta(
        title="Customer number",
        examples=["12583"],
        description="Empty for a guest.",
        pattern=_ID_OR_NONE,
        max_length=60,
    ),
]
CustomerName = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Customer",
        examples=["Ana Lima"],
        pattern=ONE_LINE,
        max_length=200,
        extra={"autocomplete": "name"},
    ),
]
Country = Annotated[str, country(least=1)]
CountryOrAny = Annotated[str, Meta(title="Country", pattern=ONE_LINE, max_length=60)]
CurrencyOrAny = Annotated[
    str,
    Meta(
        title="Currency",
        examples=["GBP"],
        description="The three letters of ISO 4217, such as GBP; empty for every currency.",
        pattern=r"^([A-Z]{3})?(?!\n)$",
        max_length=3,
    ),
]
Sku = Annotated[
    str,
    Meta(
        title="Article number", examples=["85123A"], pattern=ONE_LINE, min_length=1, max_length=60
    ),
]
SkuOrAny = Annotated[str, Meta(title="Article number", pattern=ONE_LINE, max_length=60)]
Description = Annotated[
    str, Meta(title="Article", examples=["White hanging heart"], pattern=ONE_LINE, max_length=300)
]
Quantity = Annotated[int, Meta(title="Quantity", ge=1, le=1_000_000_000)]
Price = Annotated[
    Decimal,
    decimal_meta(
        "Price of one",
        ge=Decimal(0),
        le=Decimal(100_000_000),
        places=4,
        description="In the order's currency, at most four digits after the point.",
    ),
]
LineNumber = Annotated[int, Meta(title="Line", ge=1, le=MOST_LINES)]
Note = Annotated[
    str,
    paragraph(
        "Note",
        2_000,
        example="Rang the customer: the address is right.",
        description="For your colleagues; the customer does not see it.",
    ),
]
Reason = Annotated[
    str,
    paragraph(
        "Reason",
        500,
        least=1,
        example="We cannot deliver there.",
        description="Stays with the order for whoever asks later.",
    ),
]
OptionalReason = Annotated[str, paragraph("Reason", 500)]
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


def _address_part(title: str, autocomplete: str, most: int, *examples: str) -> Meta:
    return Meta(
        title=title,
        examples=list(examples),
        pattern=ONE_LINE,
        max_length=most,
        extra={"autocomplete": f"shipping {autocomplete}"},
    )


@value
class ShippingAddress:
    """Where an order goes. Every part may be empty: imported history has no addresses."""

    name: Annotated[str, _address_part("Recipient", "name", 200, "Ana Lima")] = ""
    line1: Annotated[str, _address_part("Street", "address-line1", 200, "Rue Haute 5")] = ""
    line2: Annotated[str, _address_part("Second line", "address-line2", 200)] = ""
    city: Annotated[str, _address_part("City", "address-level2", 100, "Lille")] = ""
    postal_code: Annotated[str, _address_part("Postal code", "postal-code", 30, "59000")] = ""
    country: Annotated[str, _address_part("Country", "country-name", 60, "France")] = ""


PersonalAddress = Annotated[ShippingAddress, PERSONAL]


@value
class OrderLine:
    """One line of an order; it keeps its own price, and one article may stand on several."""

    sku: Sku
    description: Description = ""
    quantity: Quantity
    unit_price: Price


@value
class ShippedLine:
    """How much of which line leaves; lines count from 1."""

    line_no: LineNumber
    quantity: Quantity


@value
class CreditedLine:
    """One line of a credit note; the amounts are what is credited."""

    sku: Sku
    description: Description = ""
    quantity: Quantity
    unit_price: Price


def person_of(customer_id: str) -> str:
    """The stream of the person whose data an order of this customer holds: the customer's own, in
    the customers' area. Empty for a guest, whose data is the order's."""
    return f"{PERSON}{customer_id}" if customer_id else ""


def amount_of(lines: Iterable[Any]) -> Decimal:
    """What the lines come to, exactly."""
    return sum((line.quantity * line.unit_price for line in lines), Decimal(0))
