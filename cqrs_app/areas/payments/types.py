"""Types of the fields of payments' messages, with their limits and labels."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import identifier, money, paragraph
from cqrs_app.kernel import ONE_LINE

LEAST = Decimal("0.0001")

PaymentId = Annotated[str, identifier("Payment number", "P10042")]
Amount = Annotated[
    Decimal, money("Amount", ge=LEAST, description="With the digits that its currency has.")
]
AmountOrAll = Annotated[
    Decimal | None, money("Amount", ge=LEAST, description="Leave empty for all that remains.")
]
Method = Annotated[
    str,
    Meta(
        title="Paid with",
        examples=["tok_visa"],
        description="The gateway's token, or words such as bank transfer. Never a card number.",
        pattern=ONE_LINE,
        min_length=1,
        max_length=100,
        extra={"autocomplete": "off", "spellcheck": "false"},
    ),
]
Reference = Annotated[
    str,
    Meta(
        title="Reference",
        examples=["ch_3Nk81"],
        description="What the gateway or the bank calls it.",
        pattern=ONE_LINE,
        min_length=1,
        max_length=100,
        extra={"autocomplete": "off", "spellcheck": "false"},
    ),
]
RequestNo = Annotated[
    int,
    Meta(
        title="Request",
        description="The request that is answered; a payment's first one is 1.",
        ge=1,
        le=1_000_000_000,
    ),
]
Code = Annotated[
    str,
    Meta(
        title="Code",
        examples=["card_declined"],
        description="The gateway's short name of the reason.",
        pattern=r"^[A-Za-z0-9_.\-]+(?!\n)$",
        min_length=1,
        max_length=60,
    ),
]
Sentence = Annotated[
    str, paragraph("Description", 500, least=1, example="The bank declined the card.")
]

NOT_A_CARD = "This looks like a card number, which is never kept here. Write the gateway's token."


def looks_like_a_card(text: str) -> bool:
    """Whether the text has 13 to 19 digits in a row, spaces and hyphens ignored, with a card
    number's check digit.
    """
    runs = re.findall(r"[0-9](?:[ \-]?[0-9]){12,18}", text)
    return any(_luhn([int(each) for each in re.sub(r"[ \-]", "", run)]) for run in runs)


def _luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
