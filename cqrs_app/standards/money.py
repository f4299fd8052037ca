"""Amounts in their currency: their notation, and how charges are rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from cqrs_app.standards.currencies import PLACES, USUAL_PLACES, places_of

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


_USUAL = Decimal(1).scaleb(-USUAL_PLACES)
_SMALLEST = {code: Decimal(1).scaleb(-places) for code, places in PLACES.items()}
"""Code -> the smallest unit; 1 for currencies without decimals."""


def exact(amount: Decimal, currency: str) -> Decimal:
    """The same amount with the digits of its currency, or more if it has more."""
    if amount.same_quantum(_SMALLEST.get(currency, _USUAL)):
        return amount
    short = charged(amount, currency)
    if short == amount:
        return short
    long = amount.normalize(_EXACT)
    return amount if long.same_quantum(amount) else long


def charged(amount: Decimal, currency: str) -> Decimal:
    """The amount charged for an exact sum: rounded once, half to even, to the digits of its
    currency."""
    return amount.quantize(_SMALLEST.get(currency, _USUAL), context=_EXACT)


def too_fine(amount: Decimal, currency: str) -> str:
    """Why an amount cannot be paid in this currency, as a sentence; empty if it can."""
    if charged(amount, currency) == amount:
        return ""
    places = places_of(currency)
    return f"{currency} has {places or 'no'} digit{'' if places == 1 else 's'} after the point."
