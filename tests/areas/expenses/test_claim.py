"""The rules of an expense claim: who signs, in which order, and what history may do."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cqrs_app.areas.expenses import EXPENSES
from cqrs_app.areas.expenses import commands as do
from cqrs_app.areas.expenses import events as was
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.stages import SIGN
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus
from cqrs_app.kernel.commands.performer import Performer
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.testing import Scenarios

given = Scenarios(EXPENSES, at=datetime(2026, 3, 1, 12, tzinfo=UTC)).given
ALL = frozenset(SIGN.values())
E1: dict[str, Any] = {"claim_id": "E1"}


def person(name: str, *stages: ExpenseStage) -> Performer:
    return Performer(
        name=name, permissions=frozenset(map(str, (SIGN[each] for each in stages))) or ALL
    )


THEN = Performer(name="cleo", history=True)
ANA, BEN, CLEO, DAN = (person(name) for name in ("ana", "ben", "cleo", "dan"))
DETAILS: dict[str, Any] = {"claim_id": "E1", "purpose": "Train", "currency": "EUR"}
SUBMIT = do.SubmitExpenseClaim(**DETAILS, amount=Decimal(100))
DRAFT = do.DraftExpenseClaim(**DETAILS, amount=Decimal(100))
APPROVE = do.ApproveExpenseClaim(**E1)
REVISE = do.RequestRevision(**E1, changes="The receipt, please.")
DENY = do.DenyExpenseClaim(**E1, reason="Private.")
RESUBMIT = do.ResubmitExpenseClaim(**E1)
WITHDRAW = do.WithdrawExpenseClaim(**E1)
REQUEST_PAYMENT = do.RequestExpensePayment(**E1)
PAY = do.PayExpenseClaim(**E1)
NOTE = do.AddExpenseNote(**E1, note="In Lyon.")


def submitted(*stages: ExpenseStage) -> Event:
    return was.ExpenseClaimSubmitted(
        claim_id="E1",
        kind="expenses",
        purpose="Train",
        budget="",
        amount=Decimal("100.00"),
        currency="EUR",
        stages=stages or (ExpenseStage.ADMINISTRATION, ExpenseStage.SUPERVISOR),
        by="ana",
        activity="",
    )


def approved(stage: ExpenseStage, by: str, *, complete: bool = False) -> Event:
    return was.ExpenseClaimApproved(
        claim_id="E1", stage=stage, further=(), complete=complete, note="", by=by, activity=""
    )


SIGNED = approved(ExpenseStage.ADMINISTRATION, "ben")
COMPLETE = approved(ExpenseStage.SUPERVISOR, "cleo", complete=True)
RETURNED = was.ExpenseRevisionRequested(
    claim_id="E1", stage="supervisor", changes="?", by="cleo", activity=""
)
WITHDRAWN = was.ExpenseClaimWithdrawn(claim_id="E1", note="", by="ana", activity="")
DENIED = was.ExpenseClaimDenied(claim_id="E1", stage="", reason="No.", by="ben", activity="")
PAID = was.ExpenseClaimPaid(
    claim_id="E1", amount=Decimal(100), currency="EUR", reference="", by="dan", activity=""
)
REQUESTED = was.ExpensePaymentRequested(
    claim_id="E1", amount=Decimal(100), currency="EUR", by="dan", activity=""
)
DRAFTED = was.ExpenseClaimDrafted(
    claim_id="E1",
    kind="expenses",
    purpose="Train",
    budget="",
    amount=Decimal(100),
    currency="EUR",
    by="ana",
    activity="",
)


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        (ExpenseKind.EXPENSES, 500, ["administration", "supervisor"]),
        (ExpenseKind.EXPENSES, 501, ["administration", "budget_owner", "supervisor"]),
        (
            ExpenseKind.EXPENSES,
            5001,
            ["administration", "budget_owner", "supervisor", "director"],
        ),
        (ExpenseKind.PERMIT, 9000, ["supervisor"]),
    ],
)
def test_kind_and_amount_decide_which_stages_a_claim_needs(
    kind: ExpenseKind, amount: int, expected: list[str]
) -> None:
    command = do.SubmitExpenseClaim(**DETAILS, kind=kind, amount=Decimal(amount))
    (event,) = given().when(command, performer=ANA).events
    assert isinstance(event, was.ExpenseClaimSubmitted)
    assert list(event.stages) == expected


def test_whoever_submits_may_add_stages_and_leave_none_out() -> None:
    further = (ExpenseStage.DIRECTOR, ExpenseStage.SUPERVISOR)
    command = do.SubmitExpenseClaim(**DETAILS, amount=Decimal(9), further=further)
    (event,) = given().when(command, performer=ANA).events
    assert isinstance(event, was.ExpenseClaimSubmitted)
    assert list(event.stages) == ["administration", "supervisor", "director"]


def test_each_stage_signs_in_turn_and_the_last_completes_it() -> None:
    given(submitted()).when(APPROVE, performer=BEN).then(SIGNED)
    claim = given(submitted(), SIGNED).when(APPROVE, performer=CLEO).then(COMPLETE)
    assert claim.status is ExpenseStatus.APPROVED


@pytest.mark.parametrize("command", [APPROVE, REVISE, DENY])
def test_nobody_signs_a_claim_of_their_own(command: Command) -> None:
    given(submitted()).when(command, performer=ANA).refused("own_claim")


@pytest.mark.parametrize("command", [REQUEST_PAYMENT, PAY])
def test_nobody_pays_a_claim_of_their_own(command: Command) -> None:
    given(submitted(), SIGNED, COMPLETE).when(command, performer=ANA).refused("own_claim")


@pytest.mark.parametrize("command", [APPROVE, REVISE, DENY])
def test_only_the_awaited_stage_signs(command: Command) -> None:
    supervisor = person("cleo", ExpenseStage.SUPERVISOR)
    given(submitted()).when(command, performer=supervisor).refused("not_your_stage")
    ahead = do.ApproveExpenseClaim(**E1, stage=ExpenseStage.SUPERVISOR)
    given(submitted()).when(ahead, performer=CLEO).refused("other_stage")


def test_one_person_signs_for_one_stage_only() -> None:
    given(submitted(), SIGNED).when(APPROVE, performer=BEN).refused("signed_before")
    stages = (ExpenseStage.ADMINISTRATION, ExpenseStage.SUPERVISOR, ExpenseStage.DIRECTOR)
    second = approved(ExpenseStage.SUPERVISOR, "cleo")
    for signer in (BEN, CLEO):
        given(submitted(*stages), SIGNED, second).when(APPROVE, performer=signer).refused(
            "signed_before"
        )
    outcome = given(submitted(*stages), SIGNED, second).when(APPROVE, performer=DAN)
    assert outcome.subject.status is ExpenseStatus.APPROVED


def test_who_signs_again_for_the_same_stage_has_signed_for_no_other() -> None:
    again = do.ApproveExpenseClaim(**E1, stage=ExpenseStage.ADMINISTRATION)
    ben = Performer(name="ben", history=True)
    outcome = given(submitted(), SIGNED).when(again, history=True, performer=ben)
    flags = [each.code for each in outcome.events if isinstance(each, was.ExpenseClaimFlagged)]
    assert flags == ["other_stage"]


def test_whoever_signs_may_ask_for_a_further_signature() -> None:
    further = do.ApproveExpenseClaim(**E1, further=(ExpenseStage.DIRECTOR,))
    outcome = given(submitted(), SIGNED).when(further, performer=CLEO)
    assert outcome.subject.awaited is ExpenseStage.DIRECTOR
    last = given(submitted(), SIGNED, *outcome.events).when(APPROVE, performer=DAN)
    assert last.subject.status is ExpenseStatus.APPROVED


def test_history_may_have_a_signature_more_than_the_claim_needs() -> None:
    more = do.ApproveExpenseClaim(**E1, stage=ExpenseStage.BUDGET_OWNER)
    outcome = given(submitted(), SIGNED).when(more, history=True, performer=THEN)
    assert outcome.names == ["ExpenseClaimApproved"]
    given(submitted(), SIGNED).when(more, performer=CLEO).refused("other_stage")


def test_in_history_a_stage_that_was_left_out_is_flagged_and_not_waited_for() -> None:
    last = do.ApproveExpenseClaim(**E1, stage=ExpenseStage.SUPERVISOR)
    outcome = given(submitted()).when(last, history=True, performer=THEN)
    assert outcome.names == ["ExpenseClaimFlagged", "ExpenseClaimApproved"]
    assert outcome.subject.status is ExpenseStatus.APPROVED


def test_after_a_revision_all_approvals_start_over() -> None:
    again = given(submitted(), SIGNED, RETURNED).when(RESUBMIT, performer=ANA)
    assert again.names == ["ExpenseClaimResubmitted"]
    assert again.subject.awaited is ExpenseStage.ADMINISTRATION
    given(submitted(), SIGNED, RETURNED, *again.events).when(APPROVE, performer=BEN).then(SIGNED)


def test_a_higher_amount_needs_more_stages_when_resubmitted() -> None:
    command = do.ResubmitExpenseClaim(**E1, amount=Decimal(600))
    (event,) = given(submitted(), RETURNED).when(command, performer=ANA).events
    assert isinstance(event, was.ExpenseClaimResubmitted)
    assert "budget_owner" in event.stages


@pytest.mark.parametrize("command", [RESUBMIT, WITHDRAW])
def test_only_who_submitted_it_resubmits_or_withdraws_it(command: Command) -> None:
    given(submitted(), RETURNED).when(command, performer=BEN).refused("not_your_claim")


def test_a_draft_is_submitted_by_its_owner_under_its_number() -> None:
    given(DRAFTED).when(SUBMIT, performer=ANA).then(submitted())
    given(DRAFTED).when(SUBMIT, performer=BEN).refused("not_your_claim")
    given(submitted()).when(SUBMIT, performer=ANA).refused("claim_exists")
    given(submitted()).when(DRAFT, performer=ANA).refused("claim_exists")


def test_a_draft_is_changed_by_its_owner_only() -> None:
    given(DRAFTED).when(DRAFT, performer=BEN).refused("not_your_claim")
    outcome = given(DRAFTED).when(DRAFT, performer=ANA)
    assert outcome.names == ["ExpenseClaimDrafted"]


@pytest.mark.parametrize(("amount", "code"), [("0", "no_amount"), ("1.005", "amount_too_fine")])
def test_an_amount_that_cannot_be_paid_is_refused(amount: str, code: str) -> None:
    command = do.SubmitExpenseClaim(**DETAILS, amount=Decimal(amount))
    given().when(command, performer=ANA).refused(code)


STATES: dict[str, tuple[Event, ...]] = {
    "none": (),
    "draft": (DRAFTED,),
    "submitted": (submitted(),),
    "revision_requested": (submitted(), RETURNED),
    "approved": (submitted(), SIGNED, COMPLETE),
    "payment_requested": (submitted(), SIGNED, COMPLETE, REQUESTED),
    "paid": (submitted(), SIGNED, COMPLETE, PAID),
    "denied": (submitted(), DENIED),
    "withdrawn": (submitted(), WITHDRAWN),
}
ALLOWED: dict[Command, set[str]] = {
    DRAFT: {"none", "draft"},
    SUBMIT: {"none", "draft"},
    APPROVE: {"submitted"},
    REVISE: {"submitted"},
    DENY: {"submitted"},
    RESUBMIT: {"revision_requested", "withdrawn"},
    WITHDRAW: {"draft", "submitted", "revision_requested"},
    REQUEST_PAYMENT: {"approved"},
    PAY: {"approved", "payment_requested"},
    NOTE: STATES.keys() - {"none"},
}
BY_OWNER = (DRAFT, SUBMIT, RESUBMIT, WITHDRAW)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", ALLOWED, ids=lambda each: type(each).__name__)
def test_each_command_is_allowed_in_these_states_only(command: Command, state: str) -> None:
    performer = ANA if command in BY_OWNER else DAN
    outcome = given(*STATES[state]).when(command, performer=performer)
    assert outcome.accepted == (state in ALLOWED[command])


def test_every_command_of_the_area_is_tried() -> None:
    assert {type(each) for each in ALLOWED} == set(EXPENSES.handlers)


@pytest.mark.parametrize("state", [each for each in STATES if each != "none"])
@pytest.mark.parametrize("command", ALLOWED, ids=lambda each: type(each).__name__)
def test_history_is_let_in_and_flagged_where_the_rules_refuse(command: Command, state: str) -> None:
    if isinstance(command, do.DraftExpenseClaim | do.SubmitExpenseClaim) and state != "draft":
        return
    outcome = given(*STATES[state]).when(command, history=True, performer=THEN)
    assert outcome.accepted
    assert outcome.names[-1] != "ExpenseClaimFlagged"
    if state not in ALLOWED[command]:
        assert "ExpenseClaimFlagged" in outcome.names


def test_history_of_an_unknown_claim_is_refused() -> None:
    given().when(APPROVE, history=True, performer=THEN).refused("no_such_claim")


def test_a_claim_that_was_paid_stays_paid_whatever_history_says_of_it_later() -> None:
    paid = STATES["paid"]
    for command in (WITHDRAW, REVISE, RESUBMIT, APPROVE):
        claim = given(*paid).when(command, history=True, performer=THEN).subject
        assert claim.status is ExpenseStatus.PAID


def test_the_state_survives_a_snapshot() -> None:
    claim = given(submitted(), SIGNED).state(ExpenseClaim)
    assert msgspec.json.decode(msgspec.json.encode(claim), type=ExpenseClaim) == claim
