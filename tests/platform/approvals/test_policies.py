"""When a policy asks: each condition alone, and all that are given together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.commands import SetApprovalPolicy
from cqrs_app.platform.approvals.events import ApprovalPolicySet
from cqrs_app.platform.approvals.policies import ApprovalPolicies, recommended
from cqrs_app.platform.approvals.policy import ApprovalPolicy, Circumstances, applies, stages_of
from cqrs_app.platform.approvals.signer import Signer, short_of
from cqrs_app.platform.approvals.types import ApprovalStage, Comparison, FieldCondition, SentFrom

FOUND = Circumstances(
    command="RefundPayment",
    fields={"amount": "12.00", "reason": "Scratched.", "restock": True, "note": None},
    moved={"EUR": Decimal(12)},
    worth={"EUR": Decimal(900)},
    status="approved",
    country="France",
    role="supervisor",
    channel="api",
)


def policy(**terms: Any) -> ApprovalPolicy:
    command = SetApprovalPolicy(policy="test", commands=("RefundPayment",), **terms)
    [event] = ApprovalPolicies().set(command)
    assert isinstance(event, ApprovalPolicySet)
    return event.policy


def field(name: str, comparison: str, value: str) -> dict[str, Any]:
    return {
        "conditions": (FieldCondition(field=name, comparison=Comparison(comparison), value=value),)
    }


@pytest.mark.parametrize(
    ("terms", "asks"),
    [
        ({}, True),
        ({"over": Decimal("11.99"), "currency": "EUR"}, True),
        ({"over": Decimal(12), "currency": "EUR"}, False),
        ({"over": Decimal(500), "currency": "GBP"}, True),
        ({"moves_money": True}, True),
        ({"statuses": ("Approved",)}, True),
        ({"statuses": ("on_hold",)}, False),
        ({"countries": ("Spain", "France")}, True),
        ({"countries": ("Spain",)}, False),
        ({"asked_by": (Role.SUPERVISOR,)}, True),
        ({"asked_by": (Role.OPERATOR,)}, False),
        ({"channels": (SentFrom.API,)}, True),
        ({"channels": (SentFrom.FORM, SentFrom.BATCH)}, False),
        (field("amount", "is", "12"), True),
        (field("amount", "is_not", "12"), False),
        (field("amount", "over", "11"), True),
        (field("amount", "under", "11"), False),
        (field("reason", "over", "11"), False),
        (field("restock", "is", "true"), True),
        (field("restock", "is_not", "true"), False),
        (field("note", "is", "None"), False),
        ({"statuses": ("approved",), "countries": ("Spain",)}, False),
    ],
)
def test_each_condition_that_is_given_must_hold(terms: dict[str, Any], *, asks: bool) -> None:
    assert applies(policy(**terms), FOUND) is asks


def test_what_moves_no_money_is_measured_by_what_it_is_about() -> None:
    large = policy(over=Decimal(500), currency="EUR")
    still = replace(FOUND, moved={})
    assert not applies(large, FOUND)
    assert applies(large, still)
    assert not applies(policy(moves_money=True), still)


def test_another_command_is_not_asked() -> None:
    assert not applies(policy(), replace(FOUND, command="CancelOrder"))


def test_an_amount_needs_its_currency_and_a_policy_a_stage() -> None:
    with pytest.raises(Invalid, match="currency"):
        policy(over=Decimal(5))
    with pytest.raises(Invalid, match="stages"):
        policy(stages=())


def test_several_policies_are_all_satisfied_and_what_they_share_counts_once() -> None:
    both = ApprovalStage(approvals=2)
    assert stages_of([policy(), policy(stages=(ApprovalStage(), both))]) == (ApprovalStage(), both)


def test_set_again_as_it_is_nothing_happens() -> None:
    policies = ApprovalPolicies()
    command = recommended(Decimal(500), "EUR")[0]
    policies.policies[command.policy] = next(policies.set(command)).policy  # type: ignore[attr-defined]
    assert list(policies.set(command)) == []


SAM = Signer("sam", "sam", "supervisor", team="returns")
TINA = Signer("tina", "tina", "supervisor")
ADA, OLGA = Signer("ada", "ada", "admin"), Signer("olga", "olga", "operator")


@pytest.mark.parametrize(
    ("stages", "asker", "missing"),
    [
        ((ApprovalStage(),), "olga", None),
        ((ApprovalStage(approvals=3),), "olga", None),
        ((ApprovalStage(approvals=3),), "sam", 1),
        ((ApprovalStage(role=Role.ADMIN),), "ada", 1),
        ((ApprovalStage(approvals=3), ApprovalStage(role=Role.ADMIN)), "olga", 1),
        ((ApprovalStage(people=("sam",)), ApprovalStage(people=("sam",))), "olga", 1),
        ((ApprovalStage(people=("olga",)),), "sam", 1),
        ((ApprovalStage(people=("sam", "tina")), ApprovalStage(people=("sam",))), "olga", None),
        ((ApprovalStage(approvals=2, people=("tina",), teams=("returns",)),), "olga", None),
        ((ApprovalStage(approvals=2, teams=("returns",)),), "olga", 1),
        ((ApprovalStage(teams=("",)),), "olga", 1),
    ],
)
def test_too_few_signers_are_found_before_anybody_waits_for_them(
    stages: tuple[ApprovalStage, ...], asker: str, missing: int | None
) -> None:
    found = short_of(stages, [SAM, TINA, ADA, OLGA], asker)
    assert (found and found[1]) == missing


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"statuses": ("aproved",)}, "aproved is no status. Use placed, approved"),
        ({"countries": ("IE",)}, "Write Ireland."),
        ({"countries": ("Irland",)}, "Irland is no country."),
    ],
)
def test_a_condition_that_no_order_could_meet_is_refused(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        SetApprovalPolicy(policy="test", commands=("RefundPayment",), **given)
