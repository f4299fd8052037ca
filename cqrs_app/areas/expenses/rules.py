"""When each action on an expense claim is allowed, and the sentence where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from cqrs_app.areas.expenses.stages import SIGN, rank
from cqrs_app.areas.expenses.state import ExpenseState
from cqrs_app.areas.expenses.words import ExpenseStage, ExpenseStatus
from cqrs_app.areas.types import withdrawn_currency
from cqrs_app.kernel import Performer, Refusal, Refused, Rule, rule
from cqrs_app.standards.money import too_fine

_S = ExpenseStatus
UNKNOWN = Refusal("no_such_claim", "There is no claim of this number.")
EXISTS = Refusal("claim_exists", "The number was used before.", "claim_id")
NO_AMOUNT = Refusal("no_amount", "The amount is zero.")
TOO_FINE = Refusal("amount_too_fine", "The amount has more digits than its currency.", "amount")
OWN_CLAIM = Refusal("own_claim", "Whoever signs or pays it submitted the claim.")
NOT_YOURS = Refusal("not_your_claim", "Somebody else submitted the claim.")
OTHER_STAGE = Refusal("other_stage", "The claim waits for another approval.")
NOT_YOUR_STAGE = Refusal("not_your_stage", "The role may not sign for this stage.")
SIGNED_BEFORE = Refusal("signed_before", "The same person signed for another stage.")
IN_THE_FUTURE = Refusal("in_the_future", "History has a time more than a day ahead.", "occurred_at")
BEFORE_LAST = Refusal("before_last_step", "History has a time before the step that precedes it.")

_CODES = {
    _S.DRAFT: Refusal("not_submitted", "It is a draft."),
    _S.SUBMITTED: Refusal("in_approval", "It waits for approval."),
    _S.REVISION_REQUESTED: Refusal("revision_requested", "A revision was requested."),
    _S.APPROVED: Refusal("already_approved", "All of its approvals are given."),
    _S.PAYMENT_REQUESTED: Refusal("payment_requested", "Its payment was requested."),
    _S.PAID: Refusal("already_paid", "It was paid."),
    _S.DENIED: Refusal("denied", "It was denied."),
    _S.WITHDRAWN: Refusal("withdrawn", "It was withdrawn."),
}
_SENTENCES = {
    _S.DRAFT: "is a draft",
    _S.SUBMITTED: "waits for approval",
    _S.REVISION_REQUESTED: "was returned for revision",
    _S.APPROVED: "has all of its approvals",
    _S.PAYMENT_REQUESTED: "is approved and its payment was requested",
    _S.PAID: "was paid",
    _S.DENIED: "was denied",
    _S.WITHDRAWN: "was withdrawn",
}


def in_status(*allowed: ExpenseStatus) -> Rule:
    """Requires one of these statuses."""

    @rule(UNKNOWN, *(_CODES[each] for each in ExpenseStatus if each not in allowed))
    def check(claim: ExpenseState, claim_id: str) -> None:
        if claim.status is None:
            raise UNKNOWN.because(f"There is no claim {claim_id}.", "Check the number.")
        if claim.status not in allowed:
            raise _CODES[claim.status].because(f"Claim {claim_id} {_SENTENCES[claim.status]}.")

    return check


exists = in_status(*ExpenseStatus)


def unused(claim: ExpenseState) -> None:
    """Raises EXISTS for a number that a claim has, unless it is a draft."""
    if claim.status not in (None, _S.DRAFT):
        raise EXISTS.because(
            f"There is a claim {claim.claim_id} already.", "Choose another number."
        )


def payable(amount: Decimal, currency: str) -> Iterator[Refused]:
    """Objects to an amount that cannot be paid."""
    yield from withdrawn_currency(currency)
    if not amount:
        yield NO_AMOUNT.because("The amount is zero.", "Write what was spent.")
    if why := too_fine(amount, currency):
        raise TOO_FINE.because(why, "Write the amount with no more digits.")


def by_claimant(claim: ExpenseState, performer: Performer) -> Iterator[Refused]:
    """Objects to anybody but the person who submitted the claim."""
    if performer.name != claim.claimant:
        yield NOT_YOURS.because(f"{claim.claimant} submitted claim {claim.claim_id}.")


def not_own(claim: ExpenseState, performer: Performer) -> Iterator[Refused]:
    """Objects to the person who submitted the claim."""
    if performer.name == claim.claimant:
        yield OWN_CLAIM.because("Nobody signs or pays a claim of their own.", "Ask somebody else.")


def signing(
    claim: ExpenseState, stage: ExpenseStage | None, performer: Performer
) -> Iterator[Refused]:
    """Objects to a signature that this person may not give for this stage, or not now."""
    yield from not_own(claim, performer)
    awaited = claim.awaited
    if awaited and stage and not _is_next(claim, awaited, stage, history=performer.history):
        yield OTHER_STAGE.because(
            f"The claim waits for the approval of the {awaited.label.lower()}, "
            f"not of the {stage.label.lower()}."
        )
    if stage and not performer.may(SIGN[stage]):
        yield NOT_YOUR_STAGE.because(
            f"Your role does not sign for the {stage.label.lower()}.", "Ask somebody who does."
        )
    if any(by == performer.name for each, by in claim.signed_by.items() if each is not stage):
        yield SIGNED_BEFORE.because(
            f"{performer.name} signed for another stage of the claim.", "Ask somebody else."
        )


def _is_next(
    claim: ExpenseState, awaited: ExpenseStage, stage: ExpenseStage, *, history: bool
) -> bool:
    """Whether a stage signs now. In history, stages that the claim does not need may have signed on
    the way."""
    before = max(map(rank, claim.signed_by), default=-1)
    return stage is awaited or (history and before < rank(stage) < rank(awaited))


def out_of_time(claim: ExpenseState, at: datetime, now: datetime) -> Iterator[Refused]:
    """Objects to a time of history in the future, or before the previous step."""
    if at > now + timedelta(days=1):
        yield IN_THE_FUTURE.because("The time given for it is in the future.")
    if claim.previous_at and at < claim.previous_at:
        yield BEFORE_LAST.because("The time given for it is before the step that precedes it.")
