"""Kinds of values that several areas share, with their limits and labels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel import ID, LINES, ONE_LINE

ID_CHARACTERS = "Letters, digits, point, underscore and hyphen."


def identifier(title: str, example: str) -> Meta:
    """Limits of what names one thing, also in an address."""
    return Meta(
        title=title,
        examples=[example],
        description=ID_CHARACTERS,
        pattern=ID,
        min_length=1,
        max_length=60,
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


def country(least: int | None = None) -> Meta:
    return Meta(
        title="Country",
        pattern=ONE_LINE,
        examples=["France"],
        min_length=least,
        max_length=60,
        extra={"autocomplete": "country-name"},
    )


OrderId = Annotated[str, identifier("Order number", "10042")]
Currency = Annotated[
    str,
    Meta(
        title="Currency",
        examples=["GBP"],
        description="The three letters of ISO 4217, such as GBP.",
        pattern=r"^[A-Z]{3}(?!\n)$",
        max_length=3,
        extra={"autocomplete": "transaction-currency"},
    ),
]
