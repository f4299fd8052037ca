"""Field types that several areas share, with their limits and labels."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel import ID, LINES, ONE_LINE, NormalForm, Refusal, Refused, decimal_meta
from cqrs_app.standards.countries import country_name, is_country
from cqrs_app.standards.currencies import PLACES, WITHDRAWN, currency_code

IMPORTER = "importer"
"""The actor that records imported history."""
ID_CHARACTERS = "Letters, digits, point, underscore and hyphen."
HIGHEST_AMOUNT = Decimal(1_000_000_000_000)
"""The largest total of an order, credit note or payment; sums of many stay exact."""
HIGHEST_PRICE = Decimal(100_000_000)
"""The highest unit price."""
MOST_UNITS = 1_000_000_000
"""The most units of one product in an order or in one command."""
MOST_PLACES = 4
"""Digits after the point that any amount may have."""


def identifier(title: str, example: str) -> Meta:
    """Limits of the number or name that identifies one thing, also in a URL."""
    return Meta(
        title=title,
        examples=[example],
        description=ID_CHARACTERS,
        pattern=ID,
        min_length=1,
        max_length=60,
        extra={"help": ""},
    )


def paragraph(
    title: str,
    most: int,
    *,
    least: int | None = None,
    example: str | None = None,
    description: str | None = None,
) -> Meta:
    """Limits of a text of several lines, in characters."""
    return Meta(
        title=title,
        examples=[example] if example else None,
        description=description,
        pattern=LINES,
        min_length=least,
        max_length=most,
        extra={"widget": "textarea"},
    )


def money(
    title: str, *, ge: Decimal = Decimal(0), le: Decimal = HIGHEST_AMOUNT, description: str = ""
) -> Meta:
    """Limits of an amount or a price in a currency that the message names."""
    return decimal_meta(title, ge=ge, le=le, places=MOST_PLACES, description=description or None)


def reason(
    description: str = "Kept in the history.",
    *,
    least: int | None = 1,
    most: int = 500,
    example: str = "We cannot deliver there.",
) -> Meta:
    """Limits of the reason why something was done."""
    return paragraph("Reason", most, least=least, example=example, description=description)


def address_part(
    title: str, autocomplete: str, most: int, *examples: str, section: str = "shipping"
) -> Meta:
    """Limits of a part of a postal address."""
    return Meta(
        title=title,
        examples=list(examples),
        pattern=ONE_LINE,
        max_length=most,
        extra={"autocomplete": f"{section} {autocomplete}"},
    )


NEW = Meta(extra={"lookup": ""})
"""Marks a field that names something that does not exist yet."""


OrderIdOrAny = Annotated[str, Meta(title="Order number", examples=["10042"], max_length=60)]


class WaitsFor(StrEnum):
    """Who has to act before something continues."""

    PERSON = "person"
    GATEWAY = "gateway"
    NOBODY = "nobody"

    @property
    def label(self) -> str:
        return {"person": "A person", "gateway": "The gateway", "nobody": "Nobody"}[self]


UNKNOWN_COUNTRY = Refusal(
    "unknown_country", "What is given as a country is none of ISO 3166, and this is no history."
)


def unknown_country(text: str) -> Iterator[Refused]:
    """Objects to a text that is no country's name; imported history may have one."""
    if text and not is_country(text):
        yield UNKNOWN_COUNTRY.because(
            f"“{text}” is no country of ISO 3166.", "Write its name or its code."
        )


WITHDRAWN_CURRENCY = Refusal(
    "withdrawn_currency", "The currency was withdrawn, and this is no history."
)


def withdrawn_currency(code: str) -> Iterator[Refused]:
    """Objects to a currency that is no longer in use; imported history may have one."""
    if code in WITHDRAWN:
        yield WITHDRAWN_CURRENCY.because(
            f"{code} was withdrawn.", "Choose the currency that replaced it."
        )


def _country(title: str = "Country", least: int | None = None) -> Meta:
    return Meta(
        title=title,
        pattern=ONE_LINE,
        examples=["France"],
        description="A country of ISO 3166: its name, code or usual short form.",
        min_length=least,
        max_length=60,
        extra={"autocomplete": "country-name", "help": ""},
    )


_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"), "-")


def sku_text(text: str) -> str:
    """The SKU with look-alike hyphens replaced by the keyboard's hyphen."""
    return text.translate(_HYPHENS)


def _sku(least: int | None) -> Meta:
    return Meta(
        title="SKU",
        examples=["85123A"],
        pattern=ONE_LINE,
        min_length=least,
        max_length=60,
        extra={"lookup": "product"},
    )


_IS_COUNTRY = NormalForm(country_name)
_IS_CURRENCY = NormalForm(currency_code)
_IS_SKU = NormalForm(sku_text)

Reason = Annotated[str, reason()]
Note = Annotated[
    str,
    paragraph(
        "Note",
        2_000,
        example="Rang the customer: the address is right.",
        description="For your colleagues; the customer does not see it.",
    ),
]
OrderId = Annotated[str, identifier("Order number", "10042")]
Sku = Annotated[str, _IS_SKU, _sku(1)]
SkuOrAny = Annotated[str, _IS_SKU, _sku(None)]
ItemName = Annotated[
    str,
    Meta(title="Description", examples=["White hanging heart"], pattern=ONE_LINE, max_length=300),
]
Country = Annotated[str, _IS_COUNTRY, _country(least=1)]
CountryOrNone = Annotated[str, _IS_COUNTRY, _country()]
Currency = Annotated[
    str,
    _IS_CURRENCY,
    Meta(
        title="Currency",
        examples=["GBP"],
        description="The three letters of ISO 4217, such as GBP.",
        pattern=r"^[A-Z]{3}(?!\n)$",
        min_length=1,
        max_length=3,
        extra={"autocomplete": "transaction-currency", "help": ""},
        extra_json_schema={"enum": sorted(PLACES)},
    ),
]
CurrencyOrAny = Annotated[
    str,
    _IS_CURRENCY,
    Meta(
        title="Currency",
        examples=["GBP"],
        description="The three letters of ISO 4217, such as GBP; empty for every currency.",
        pattern=r"^([A-Z]{3})?(?!\n)$",
        max_length=3,
        extra_json_schema={"enum": ["", *sorted(PLACES)]},
    ),
]
