"""The values that fulfilment's messages are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.fulfilment.words import AfterDeclines
from cqrs_app.areas.types import Currency, OrderId
from cqrs_app.kernel.messages.fields import decimal_meta
from cqrs_app.kernel.messages.messages import value

_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*$"
MOST = Decimal(900_000_000_000_000)
"""More than any order may come to."""
MOST_SAID = 2_000

Word = Annotated[str, Meta(pattern=_TEXT, max_length=100, examples=["OrderHeld"])]
Sentence = Annotated[str, Meta(pattern=_TEXT, max_length=MOST_SAID, examples=["As told."])]
Sku = Annotated[str, Meta(pattern=_TEXT, max_length=60, examples=["85123A"])]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000_000, examples=[1])]
Seconds = Annotated[int, Meta(ge=1, le=366 * 86_400, examples=[3600])]
Money = Annotated[Decimal, decimal_meta("Amount", ge=Decimal(0), le=MOST, places=4)]
Reason = Annotated[
    str,
    Meta(
        title="Reason",
        description="At least ten characters. It is kept with the order's steps.",
        examples=["The customer pays in the shop."],
        pattern=_TEXT,
        min_length=10,
        max_length=1000,
        extra={"widget": "textarea"},
    ),
]


@value
class Line:
    """What an order asks for on one of its lines; lines count from 1."""

    sku: Sku
    quantity: Count


@value
class Policy:
    """How an order is seen through. With an empty `method` no payment is begun: it is waited for
    until one comes in. `retry_after` are the pauses in seconds after each declined
    payment; the next decline after the last of them is final."""

    method: Annotated[str, Meta(max_length=100, pattern=_TEXT)]
    retry_after: Annotated[tuple[Seconds, ...], Meta(max_length=20)]
    after_declines: AfterDeclines


@value
class Argument:
    """One field of a task that is sent, as a text."""

    name: Word
    text: Sentence


@value
class Sent:
    """How many units of which line left."""

    line_no: Annotated[int, Meta(ge=1, le=10_000)]
    quantity: Count


__all__ = [
    "Argument",
    "Count",
    "Currency",
    "Line",
    "Money",
    "OrderId",
    "Policy",
    "Reason",
    "Seconds",
    "Sent",
    "Sentence",
    "Sku",
    "Word",
]
