"""Expense claims of the demo shop's staff, at every stage. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cqrs_app.areas.expenses.commands import (
    ApproveExpenseClaim,
    DenyExpenseClaim,
    DraftExpenseClaim,
    PayExpenseClaim,
    RequestExpensePayment,
    RequestRevision,
    ResubmitExpenseClaim,
    SubmitExpenseClaim,
)
from cqrs_app.areas.expenses.words import ExpenseStage
from cqrs_app.kernel.messages.messages import Command

CURRENCY = "EUR"
_S = ExpenseStage


@dataclass(frozen=True, slots=True)
class Step:
    """A command, who did it, and the time (UTC) at which it happened."""

    at: datetime
    by: str
    command: Command


@dataclass(frozen=True, slots=True)
class Story:
    """Who claimed what, how many hours ago, and who did what since."""

    claimant: str
    purpose: str
    amount: int
    hours_ago: int
    then: Sequence[tuple[str, str]]


_CHECKED, _BUDGETED = ("checked", "ines"), ("budgeted", "otto")
_SIGNED, _ASKED, _PAID = ("signed", "ruth"), ("asked", "ines"), ("paid", "ines")
_BACK, _AGAIN, _DENIED = ("back", "ines"), ("again", ""), ("denied", "ruth")
_STORIES = (
    Story("lena", "Train to the trade fair in Lyon", 184, 700, (_CHECKED, _SIGNED, _ASKED, _PAID)),
    Story("marc", "Packing tape and labels", 62, 610, (_CHECKED, _SIGNED, _ASKED, _PAID)),
    Story("lena", "Hotel in Lyon, three nights", 540, 520, (_CHECKED, _BUDGETED, _SIGNED, _ASKED)),
    Story("jonas", "Dinner with a supplier", 96, 430, (_BACK, _AGAIN, _CHECKED, _SIGNED, _PAID)),
    Story("marc", "Second monitor for home", 310, 360, (_CHECKED, _DENIED)),
    Story("jonas", "Repair of the pallet truck", 1_280, 290, (_CHECKED, _BUDGETED)),
    Story("lena", "Course in product photography", 890, 200, (_CHECKED,)),
    Story("marc", "Fuel for the delivery van", 74, 120, (_BACK,)),
    Story("jonas", "Stand at the spring market", 5_600, 90, (_CHECKED, _BUDGETED)),
    Story("lena", "Taxi to the printer", 23, 50, ()),
    Story("marc", "Storage boxes", 145, 30, (_CHECKED, _SIGNED)),
    Story("jonas", "Printer paper", 38, 8, ()),
)
"""In approval at every stage, approved, to be paid, paid, denied, returned."""


def claims(now: datetime) -> list[Step]:
    """What happened to these claims before `now`, in chronological order."""
    steps = [step for number, story in enumerate(_STORIES) for step in _steps(number, story, now)]
    draft = DraftExpenseClaim(
        claim_id=_number(len(_STORIES)),
        purpose="Tickets to Antwerp",
        amount=Decimal(118),
        currency=CURRENCY,
    )
    steps.append(Step(now - timedelta(hours=3), "lena", draft))
    return sorted(steps, key=lambda step: step.at)


def _number(number: int) -> str:
    return f"EX-{101 + number}"


def _steps(number: int, story: Story, now: datetime) -> Iterator[Step]:
    at, claim_id = now - timedelta(hours=story.hours_ago), _number(number)
    submitted = SubmitExpenseClaim(
        claim_id=claim_id,
        purpose=story.purpose,
        amount=Decimal(story.amount),
        currency=CURRENCY,
    )
    yield Step(at, story.claimant, submitted)
    for place, (what, by) in enumerate(story.then):
        # Nothing took the same time twice.
        at += timedelta(hours=2 + (number * 5 + place * 7) % 19, minutes=number * 4)
        if at < now:
            yield Step(at, by or story.claimant, _command(what, claim_id))


def _command(what: str, claim_id: str) -> Command:
    match what:
        case "checked":
            return ApproveExpenseClaim(claim_id=claim_id, stage=_S.ADMINISTRATION)
        case "budgeted":
            return ApproveExpenseClaim(claim_id=claim_id, stage=_S.BUDGET_OWNER)
        case "signed":
            return ApproveExpenseClaim(claim_id=claim_id, stage=_S.SUPERVISOR)
        case "back":
            return RequestRevision(
                claim_id=claim_id, stage=_S.ADMINISTRATION, changes="Please attach the receipt."
            )
        case "again":
            return ResubmitExpenseClaim(claim_id=claim_id, note="The receipt is attached now.")
        case "denied":
            return DenyExpenseClaim(
                claim_id=claim_id, stage=_S.SUPERVISOR, reason="Not for business."
            )
        case "asked":
            return RequestExpensePayment(claim_id=claim_id)
    return PayExpenseClaim(claim_id=claim_id, reference=f"TR-{claim_id}")
