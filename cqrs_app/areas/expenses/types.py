"""Types of the fields of messages about expense claims, with their limits and labels."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage
from cqrs_app.areas.types import identifier, money, paragraph
from cqrs_app.kernel import ONE_LINE

ClaimId = Annotated[str, identifier("Claim number", "E10042")]
Amount = Annotated[Decimal, money("Amount", description="With the digits that its currency has.")]
AmountOrSame = Annotated[
    Decimal | None, money("Amount", description="Leave empty if it stays the same.")
]
Kind = Annotated[ExpenseKind, Meta(title="Kind")]
Purpose = Annotated[
    str,
    Meta(
        title="Purpose",
        examples=["Train to the fair in Lyon"],
        pattern=ONE_LINE,
        min_length=1,
        max_length=200,
    ),
]
Budget = Annotated[
    str,
    Meta(
        title="Budget",
        examples=["Marketing 2026"],
        description="What it is charged to.",
        pattern=ONE_LINE,
        max_length=60,
    ),
]
FurtherStages = Annotated[
    tuple[ExpenseStage, ...],
    Meta(
        title="Further approvals",
        description="Beyond those that the claim needs anyway.",
        max_length=len(ExpenseStage),
    ),
]
StageOrNext = Annotated[
    ExpenseStage | None,
    Meta(title="Approval of", description="Leave empty for the one that the claim waits for."),
]
Changes = Annotated[
    str,
    paragraph("Changes", 2_000, least=1, example="Please attach the receipt of the hotel."),
]
Reference = Annotated[
    str,
    Meta(
        title="Reference",
        examples=["Transfer 2026-118"],
        description="What the bank or the payroll calls the payment.",
        pattern=ONE_LINE,
        max_length=100,
    ),
]
WrittenNote = Annotated[str, paragraph("Note", 2_000, least=1, example="The receipt is in Lyon.")]
