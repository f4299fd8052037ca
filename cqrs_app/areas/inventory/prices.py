"""The prices of a product as one text of its row, such as "EUR 64.00, GBP 55.00"."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal


def price_text(prices: Mapping[str, Decimal]) -> str:
    """In the order of the currencies' codes."""
    return ", ".join(f"{currency} {price:f}" for currency, price in sorted(prices.items()))


def prices_in(text: str) -> dict[str, Decimal]:
    """Currency -> what one unit costs."""
    pairs = (each.split(" ") for each in text.split(", ") if each)
    return {currency: Decimal(price) for currency, price in pairs}
