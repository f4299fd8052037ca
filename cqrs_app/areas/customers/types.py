"""The kinds of values that customers' commands are made of, with their limits and labels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import country, identifier, paragraph
from cqrs_app.kernel import ONE_LINE, PERSONAL

_ADDRESS = r"[^\x00-\x20\x7f\ud800-\udfff@]+@[^\x00-\x20\x7f\ud800-\udfff@]+"

SHORTEST_REASON = 10

CustomerId = Annotated[str, identifier("Customer number", "12583")]
Name = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Name",
        examples=["Ana Lima"],
        pattern=ONE_LINE,
        max_length=200,
        extra={"autocomplete": "name"},
    ),
]
Phone = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Phone",
        examples=["+33 3 20 00 00 00"],
        pattern=ONE_LINE,
        max_length=40,
        extra={"autocomplete": "tel", "inputmode": "tel"},
    ),
]
Country = Annotated[str, country()]


def _email(pattern: str, description: str) -> Meta:
    return Meta(
        title="E-mail",
        examples=["ana@example.org"],
        description=description,
        pattern=pattern,
        max_length=254,
        extra={"autocomplete": "email", "inputmode": "email"},
    )


Email = Annotated[str, PERSONAL, _email(rf"^{_ADDRESS}(?!\n)$", "No two customers share one.")]
EmailOrNone = Annotated[
    str,
    PERSONAL,
    _email(rf"^({_ADDRESS})?(?!\n)$", "No two customers share one. Empty where there is none."),
]


def _reason(description: str) -> Meta:
    return paragraph(
        "Reason",
        500,
        least=SHORTEST_REASON,
        example="Asked for it in writing.",
        description=description,
    )


Reason = Annotated[
    str, PERSONAL, _reason("At least ten characters. Stays with the customer for whoever asks.")
]
ErasureReason = Annotated[
    str, _reason("At least ten characters. It is kept: write nothing personal in it.")
]
