"""Exact decimals in messages: their limits, and one notation per number.

Limits are checked before any arithmetic: `Decimal("1E-300000000")` is quick to parse, takes 300 MB
to format, and rounds to zero in a context of 28 digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec

from cqrs_app.kernel.messages.fields import meta_of
from cqrs_app.kernel.messages.sentences import A_NUMBER, FEWER_DIGITS

# JSON numbers may have an exponent, so one is accepted, but only of limited length.
_READABLE = re.compile(r"[+-]?([0-9]{1,64}(\.[0-9]{0,64})?|\.[0-9]{1,64})([eE][+-]?[0-9]{1,10})?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WIDE = Context(prec=100)
"""Enough digits that quantizing a number within limits cannot fail."""
WIDEST: Mapping[str, Any] = MappingProxyType(
    {"ge": -(Decimal(10) ** 30), "le": Decimal(10) ** 30, "places": 30}
)
"""The limits of a decimal that declares none."""


def decimal_meta(
    title: str, *, ge: Decimal, le: Decimal, places: int, description: str | None = None
) -> msgspec.Meta:
    """The limits of a decimal; `places` is the number of digits after the decimal point.

    The decoder checks limits of integers only. These are kept in `extra` and, for readers of a
    schema, in a pattern.
    """
    sign, digits = "-?" if ge < 0 else "", len(str(int(le)))
    return msgspec.Meta(
        title=title,
        description=description,
        extra={"ge": ge, "le": le, "places": places},
        extra_json_schema={"pattern": rf"^{sign}[0-9]{{1,{digits}}}(\.[0-9]{{1,{places}}})?$"},
    )


@cache
def limits_of(hint: Any) -> Mapping[str, Any]:
    """The limits that `decimal_meta` put beside a type, or else WIDEST."""
    meta = meta_of(hint)
    return {**WIDEST, **((meta.extra if meta else None) or {})}


def is_readable(text: str) -> bool:
    """Whether a text is a decimal number in ASCII digits, of which there are not too many."""
    return _READABLE.fullmatch(text) is not None


def unreadable(text: str) -> str:
    """What is wrong with a text that is not readable, as a sentence."""
    return FEWER_DIGITS if _NUMBER.fullmatch(text) else A_NUMBER


def decimal_problem(number: Decimal, limits: Mapping[str, Any]) -> str | None:
    """What is wrong with a number under these limits (`ge`, `le`, `places`), as a sentence; else
    None."""
    if not number.is_finite():
        return A_NUMBER
    if number < limits["ge"]:
        if limits["ge"] == Decimal(1).scaleb(-limits["places"]):
            return "Must be more than 0."
        return f"Must be {limits['ge']} or more."
    if number > limits["le"]:
        return f"Must be {limits['le']} or less."
    if rounded(number, limits["places"]) != number:
        return f"At most {limits['places']} digits after the point."
    return None


def plain_decimal(number: Decimal, limits: Mapping[str, Any]) -> Decimal:
    """The same number without an exponent or a negative zero, if it is within its limits."""
    if decimal_problem(number, limits):
        return number
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -limits["places"] <= exponent <= 0 and number:
        return number
    exact = rounded(number, limits["places"]).normalize(_WIDE) or Decimal(0)
    return rounded(exact, 0) if exact == exact.to_integral_value() else exact


def rounded(number: Decimal, places: int) -> Decimal:
    """Round to this many decimal places, half to even."""
    return number.quantize(Decimal(1).scaleb(-places), context=_WIDE)
