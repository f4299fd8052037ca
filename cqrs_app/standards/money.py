"""Amounts in their currency: how they are written, and what is charged."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from cqrs_app.standards.currencies import places_of

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def exact(amount: Decimal, currency: str) -> Decimal:
    """The same amount with the digits of its currency, and more only where it has them."""
    short = charged(amount, currency)
    return short if short == amount else amount.normalize(_EXACT)


def charged(amount: Decimal, currency: str) -> Decimal:
    """What is paid for an exact sum: rounded once, half to even, to the digits of its currency."""
    return amount.quantize(Decimal(1).scaleb(-places_of(currency)), context=_EXACT)


def too_fine(amount: Decimal, currency: str) -> str:
    """Why an amount cannot be paid in this currency, as a sentence; empty where it can."""
    if charged(amount, currency) == amount:
        return ""
    places = places_of(currency)
    return f"{currency} has {places or 'no'} digit{'' if places == 1 else 's'} after the point."
