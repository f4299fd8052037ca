"""What people do with expense claims."""

from __future__ import annotations

from cqrs_app.areas.expenses.types import (
    Amount,
    AmountOrSame,
    Budget,
    Changes,
    ClaimId,
    FurtherStages,
    Kind,
    Purpose,
    Reference,
    StageOrNext,
    WrittenNote,
)
from cqrs_app.areas.expenses.words import ExpenseKind
from cqrs_app.areas.types import Currency, Note, Reason
from cqrs_app.kernel import Command, Permission, Role, command

VIEW = Permission("expenses.view", Role.VIEWER)
SUBMIT = Permission("expenses.submit", Role.OPERATOR)
SIGN_ANY = Permission("expenses.sign", Role.OPERATOR)
PAY = Permission("expenses.pay", Role.SUPERVISOR)


@command(label="Save draft", permission=SUBMIT)
class DraftExpenseClaim(Command):
    """Keep an expense claim without submitting it yet."""

    claim_id: ClaimId
    kind: Kind = ExpenseKind.EXPENSES
    purpose: Purpose
    budget: Budget = ""
    amount: Amount
    currency: Currency


@command(label="Submit claim", permission=SUBMIT)
class SubmitExpenseClaim(Command):
    """Submit an expense claim of your own, new or a draft. It will need approval."""

    claim_id: ClaimId
    kind: Kind = ExpenseKind.EXPENSES
    purpose: Purpose
    budget: Budget = ""
    amount: Amount
    currency: Currency
    further: FurtherStages = ()


@command(label="Approve claim", permission=SIGN_ANY, minds_version=True)
class ApproveExpenseClaim(Command):
    """Approve the claim for the stage it waits for. Nobody approves a claim of their own."""

    claim_id: ClaimId
    stage: StageOrNext = None
    further: FurtherStages = ()
    note: Note = ""


@command(label="Request revision", permission=SIGN_ANY, minds_version=True)
class RequestRevision(Command):
    """Return the claim to whoever submitted it, who can change and resubmit it."""

    claim_id: ClaimId
    stage: StageOrNext = None
    changes: Changes


@command(label="Deny claim", permission=SIGN_ANY, minds_version=True, risky=True)
class DenyExpenseClaim(Command):
    """Refuse the claim for good. To have it changed, request a revision instead."""

    claim_id: ClaimId
    stage: StageOrNext = None
    reason: Reason


@command(label="Resubmit claim", permission=SUBMIT, minds_version=True)
class ResubmitExpenseClaim(Command):
    """Submit the claim again. All of its approvals start over."""

    claim_id: ClaimId
    amount: AmountOrSame = None
    further: FurtherStages = ()
    note: Note = ""


@command(label="Withdraw claim", permission=SUBMIT, minds_version=True)
class WithdrawExpenseClaim(Command):
    """Take your claim back. You can resubmit it later."""

    claim_id: ClaimId
    note: Note = ""


@command(label="Request payment", permission=PAY, minds_version=True)
class RequestExpensePayment(Command):
    """Ask for the payment of an approved claim."""

    claim_id: ClaimId


@command(label="Mark as paid", permission=PAY, minds_version=True)
class PayExpenseClaim(Command):
    """Record that the claim was paid."""

    claim_id: ClaimId
    reference: Reference = ""


@command(label="Add note", permission=SUBMIT)
class AddExpenseNote(Command):
    """Internal note, saved in the history of the claim."""

    claim_id: ClaimId
    note: WrittenNote
