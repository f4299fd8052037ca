"""The kinds of values that customers' commands are made of, with their limits and labels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.patterns import ID, LINES, ONE_LINE
from cqrs_app.kernel.privacy.personal import PERSONAL

_ADDRESS = r"[^\x00-\x20\x7f\ud800-\udfff@]+@[^\x00-\x20\x7f\ud800-\udfff@]+"

SHORTEST_REASON = 10

CustomerId = Annotated[
    str,
    Meta(
        title="Customer number",
        examples=["12583"],
        description="Letters, digits, point, underscore and hyphen.",
        pattern=ID,
        min_length=1,
        max_length=60,
    ),
]
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
Country = Annotated[
    str,
    Meta(
        title="Country",
        examples=["France"],
        pattern=ONE_LINE,
        max_length=60,
        extra={"autocomplete": "country-name"},
    ),
]


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
    return Meta(
        title="Reason",
        examples=["Asked for it in writing."],
        description=description,
        pattern=LINES,
        min_length=SHORTEST_REASON,
        max_length=500,
        extra={"widget": "textarea"},
    )


Reason = Annotated[
    str, PERSONAL, _reason("At least ten characters. Stays with the customer for whoever asks.")
]
ErasureReason = Annotated[
    str, _reason("At least ten characters. It is kept: write nothing personal in it.")
]
