"""The words shown for reasons of stock adjustments: a stable code and a label each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum


class AdjustReason(StrEnum):
    """Why the counted stock differed; the values are stored."""

    COUNTED = "counted"
    DAMAGED = "damaged"
    LOST = "lost"
    FOUND = "found"
    RETURNED = "returned"
    GIVEN_AWAY = "given_away"
    OTHER = "other"

    @property
    def label(self) -> str:
        return label_of(self)


def label_of(code: str) -> str:
    """A reason's label; the code itself if this release no longer offers it."""
    return code.replace("_", " ").capitalize()


def price_text(prices: Mapping[str, Decimal]) -> str:
    """In the order of the currencies' codes."""
    return ", ".join(f"{currency} {price:f}" for currency, price in sorted(prices.items()))


def prices_in(text: str) -> dict[str, Decimal]:
    """Currency -> what one unit costs."""
    pairs = (each.split(" ") for each in text.split(", ") if each)
    return {currency: Decimal(price) for currency, price in pairs}
