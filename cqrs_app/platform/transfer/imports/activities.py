"""Approval histories as the logs of the BPI Challenge 2020 tell them: from the activities of a case
to the steps of its claims.

`Declaration SUBMITTED by EMPLOYEE` names a kind of paper, what happened, and a role. The papers of
one case, such as a permit and the declaration after the trip, are claims of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.expenses import commands as do
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage
from cqrs_app.kernel.commands.performer import Source
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.transfer.imports.documents import Step

CURRENCY = "EUR"
UNKNOWN = "Unknown"
NO_REASON = "The imported history gives no reason."
KINDS: Mapping[str, ExpenseKind] = MappingProxyType(
    {
        "Declaration": ExpenseKind.DECLARATION,
        "Request For Payment": ExpenseKind.PAYMENT_REQUEST,
        "Permit": ExpenseKind.PERMIT,
    }
)
"""How the activities of a paper begin -> its kind."""
STAGES: Mapping[str, ExpenseStage] = MappingProxyType(
    {each.name.replace("_", " "): each for each in ExpenseStage}
    | {each.name: each for each in ExpenseStage}
)
"""A role, with blanks or not -> the stage that it signs for."""
_ON_PAPER = re.compile(
    rf"({'|'.join(KINDS)}) (SAVED|SUBMITTED|APPROVED|FINAL_APPROVED|REJECTED) by (.+)"
)
_PAYMENTS: Mapping[str, type[Command]] = MappingProxyType(
    {"Request Payment": do.RequestExpensePayment, "Payment Handled": do.PayExpenseClaim}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of the log: `kind` and `what` are empty where it names no paper; `number` is the
    same in every export of the log."""

    number: str
    at: datetime
    activity: str
    performer: str
    kind: ExpenseKind | None
    what: str
    role: str

    @property
    def stage(self) -> ExpenseStage | None:
        return STAGES.get(self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What the case says of one claim."""

    claim_id: str
    kind: ExpenseKind
    purpose: str
    budget: str
    amount: Decimal


def happening(number: str, at: datetime, activity: str, performer: str) -> Happening:
    """An event of the log."""
    found = _ON_PAPER.fullmatch(activity)
    return Happening(
        number=number,
        at=at,
        activity=activity,
        performer=performer,
        kind=KINDS[found[1]] if found else None,
        what=found[2] if found else "",
        role=found[3] if found else "",
    )


def steps_of(paper: Paper, happenings: Sequence[Happening]) -> Iterator[Step]:
    """The steps of one claim. The first creates it: a draft nobody saved, where the log begins
    with something else."""
    begun = submitted = False
    details = _details(paper)
    for each in happenings:
        command: Command | None = None
        if each.what == "SAVED" and not begun:
            command = do.DraftExpenseClaim(**details)
        elif each.what == "SUBMITTED" and not submitted:
            command = do.SubmitExpenseClaim(**details)
        elif each.what == "SUBMITTED":
            command = do.ResubmitExpenseClaim(claim_id=paper.claim_id)
        if command is None and not begun:
            unknown = Source(performer=UNKNOWN)
            yield Step(each.at, do.DraftExpenseClaim(**details), source=unknown)
        begun = True
        # A draft of which anything but notes is known is no longer one.
        command = command or _later(paper.claim_id, each)
        submitted = submitted or not isinstance(command, do.DraftExpenseClaim | do.AddExpenseNote)
        yield Step(
            each.at,
            command,
            each.number,
            source=Source(performer=each.performer, activity=each.activity),
        )


def _details(paper: Paper) -> dict[str, Any]:
    return {
        "claim_id": paper.claim_id,
        "kind": paper.kind,
        "purpose": paper.purpose,
        "budget": paper.budget,
        "amount": paper.amount,
        "currency": CURRENCY,
    }


def _later(claim_id: str, each: Happening) -> Command:
    match each.what:
        case "APPROVED" if each.stage is ExpenseStage.SUPERVISOR:
            # Theirs is the last signature, unless the log says that it is not.
            further = (ExpenseStage.DIRECTOR,)
            return do.ApproveExpenseClaim(claim_id=claim_id, stage=each.stage, further=further)
        case "APPROVED" | "FINAL_APPROVED" if each.stage:
            return do.ApproveExpenseClaim(claim_id=claim_id, stage=each.stage)
        case "REJECTED" if each.role == "EMPLOYEE":
            return do.WithdrawExpenseClaim(claim_id=claim_id)
        case "REJECTED":
            return do.RequestRevision(claim_id=claim_id, stage=each.stage, changes=NO_REASON)
    payment: Any = _PAYMENTS.get(each.activity)
    return payment(claim_id=claim_id) if payment else _note(claim_id, each)


def _note(claim_id: str, each: Happening) -> Command:
    return do.AddExpenseNote(claim_id=claim_id, note=f"{each.activity}, {each.performer}")
