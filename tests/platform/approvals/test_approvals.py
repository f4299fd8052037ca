"""A second signature: asked for, given on what was shown, carried out once.

How approvals are known to fail, and the test of each:

| failure | test |
|---|---|
| two approvals at once count once, or carry out twice | `test_two_approvals_at_once_count_as_two` |
| a yes and a no at once: both hold | `test_of_a_yes_and_a_no_at_once_the_first_in_the_stream_decides` |
| one click, several executions | `test_the_same_command_id_is_the_same_request`, `test_signed_it_is_carried_out_once_as_the_one_who_asked`, `test_killed_after_it_was_carried_out_it_is_not_carried_out_again`, `test_two_processes_that_carry_it_out_record_that_it_was` |
| the content changes after approval | `test_content_that_changes_after_approval_is_not_carried_out`, `test_content_that_changed_since_makes_the_request_stale_instead_of_signed` |
| what is stale and signed cannot be cancelled | `test_a_stale_request_with_signatures_can_be_withdrawn_or_asked_again` |
| an old approval revives after a later no | `test_any_no_ends_it_and_no_earlier_yes_revives_it` |
| rejecting deletes the evidence | `test_a_refusal_keeps_the_evidence_and_needs_a_comment` |
| the stored payload is sanitised, and cannot be carried out | `test_what_is_carried_out_has_the_very_fields_that_were_sent` |
| a bypass leaves no trace | `test_an_emergency_is_carried_out_at_once_and_everybody_sees_who_did_it`, `test_overrides.py` |
| whoever asked approves, by role, token or delegation | `test_nobody_signs_their_own_request_by_whatever_account`, `test_delegation.py` |
| a request that nobody could sign waits for ever | `test_where_nobody_could_sign_it_is_refused_at_once_and_says_who_could_be_made_able` |
"""  # noqa: E501 - a table

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.expenses.commands import SubmitExpenseClaim, WithdrawExpenseClaim
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    AssignOrderToCustomer,
    CancelOrder,
    ChangeOrderLines,
    ChangeShippingAddress,
)
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.decider import Decider
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused, VersionConflict
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store import Change
from cqrs_app.platform.approvals.commands import (
    OverrideApproval,
    RemoveApprovalPolicy,
    ResubmitRequest,
    SetApprovalPolicy,
    WithdrawRequest,
)
from cqrs_app.platform.approvals.events import UPCASTERS
from cqrs_app.platform.approvals.gate import payload_hash
from cqrs_app.platform.approvals.lists import ListApprovalRequests
from cqrs_app.platform.approvals.policy import digest_of
from cqrs_app.platform.approvals.queries import GetApprovalRequest
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import (
    ApprovalStage,
    Comparison,
    FieldCondition,
    RequestState,
)
from cqrs_app.platform.operators.commands import ChangeOperatorRole, ChangeRole, DefineRole
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.platform.approvals.conftest import REFUND, Shop

CANCEL = CancelOrder(order_id="A-1", reason=CancelReason.CUSTOMER_REQUEST)
MOVE = ChangeShippingAddress(
    order_id="A-1",
    address=ShippingAddress(line1="12 Rue Oberkampf", city="Paris", country="FR"),
)


def expire_leases(shop: Shop) -> None:
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(approval_requests).values(lease_until=None))


@contextmanager
def hours_ago(shop: Shop, hours: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is done within was done so long ago."""
    with monkeypatch.context() as patched:
        then = datetime.now(UTC) - timedelta(hours=hours)
        commands = shop.kernel.commands
        patched.setattr(commands, "_clock", lambda: then)
        patched.setattr(commands, "_decider", replace(commands._decider, clock=lambda: then))
        yield


def test_a_policy_may_compare_the_amount_of_anything_that_has_one(shop: Shop) -> None:
    for claim_id, amount in (("E1", 90), ("E2", 900)):
        shop.run(
            SubmitExpenseClaim(
                claim_id=claim_id, purpose="Train", amount=Decimal(amount), currency="EUR"
            )
        )
    shop.policy("WithdrawExpenseClaim", over=Decimal(500), currency="EUR")
    assert shop.run(WithdrawExpenseClaim(claim_id="E1")).status == "succeeded"
    assert shop.run(WithdrawExpenseClaim(claim_id="E2")).status == "requested"


def test_without_a_policy_nothing_is_asked(shop: Shop) -> None:
    assert shop.run(REFUND).status == "succeeded"
    assert shop.refunds() == 1


def test_a_command_under_a_policy_becomes_a_request_and_changes_nothing_else(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    view = shop.view(request_id)
    assert shop.refunds() == 0
    assert (view.state, view.command, view.stream) == ("open", "RefundPayment", "payment-P-1")
    assert (view.asked_by, view.amount, view.currency) == ("sam", 12, "EUR")
    assert view.effects[1] == "EUR 12.00 must be refunded by hand (payment P-1)."


def test_signed_it_is_carried_out_once_as_the_one_who_asked(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    signed = shop.sign(request_id, "tina")
    assert shop.state(request_id) == "approved"
    shop.work()
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)
    entry = shop.kernel.log.find(f"approval~{request_id}")
    assert entry is not None
    assert (entry.operator, entry.channel, entry.causation_id) == (
        "sam",
        "approval",
        signed.command_id,
    )


def test_what_is_carried_out_has_the_very_fields_that_were_sent(shop: Shop) -> None:
    shop.policy("ChangeShippingAddress")
    request_id = shop.ask(MOVE, "olga")
    shop.sign(request_id)
    shop.work()
    moved = shop.kernel.registry.codec.decode(shop.kernel.store.events_of("order-A-1")[-1]).event
    assert (shop.state(request_id), type(moved).__name__) == ("executed", "ShippingAddressChanged")
    assert moved.address.line1 == "12 Rue Oberkampf"  # type: ignore[attr-defined]


def test_the_same_command_id_is_the_same_request(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask(command_id="the-same-command")
    again = shop.run(REFUND, command_id="the-same-command")
    assert (again.status, again.repeated) == ("requested", True)
    assert shop.events(f"approval-{request_id}") == ["ApprovalRequested"]


def test_one_request_per_thing_and_action_is_open(shop: Shop) -> None:
    shop.policy()
    first = shop.ask()
    with pytest.raises(Refused) as refused:
        shop.run(REFUND)
    assert refused.value.code == "already_requested"
    shop.run(WithdrawRequest(request_id=first))
    shop.ask()


def test_what_the_rules_refuse_is_refused_at_once(shop: Shop) -> None:
    shop.policy()
    with pytest.raises(Refused):
        shop.run(replace(REFUND, amount=Decimal(1000)))
    assert shop.view_all() == []


def test_nobody_signs_their_own_request_by_whatever_account(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask(name="sam")
    tokens = services_of(shop.app).tokens
    tokens.create("robot", "supervisor", made_by="sam")
    for name in ("sam", "token:robot"):
        with pytest.raises(Refused) as refused:
            shop.sign(request_id, name)
        assert refused.value.code == "own_request"
    assert shop.state(request_id) == "open"


def test_what_a_token_asks_for_its_maker_cannot_sign(shop: Shop) -> None:
    services_of(shop.app).tokens.create("robot", "supervisor", made_by="sam")
    shop.policy()
    request_id = shop.ask(name="token:robot", channel="api")
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "sam")
    assert refused.value.code == "own_request"
    shop.sign(request_id, "tina")
    shop.work()
    assert shop.state(request_id) == "executed"


def test_a_token_signs_with_no_more_than_its_maker_could(shop: Shop) -> None:
    services = services_of(shop.app)
    services.tokens.create("robot", "supervisor", made_by="tina")
    services.tokens.create("clerk", "supervisor", made_by="olga")
    services.accounts.disable("tina")
    shop.policy()
    request_id = shop.ask()
    for name in ("token:robot", "token:clerk"):
        with pytest.raises(Refused) as refused:
            shop.sign(request_id, name)
        assert refused.value.code == "not_a_signer"
    services.accounts.enable("tina")
    shop.sign(request_id, "token:robot")
    assert shop.state(request_id) == "approved"


def test_only_those_whom_the_policy_asks_can_sign(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(role=Role.SUPERVISOR, people=("tina",)),))
    request_id = shop.ask()
    for name in ("olga", "ada"):
        with pytest.raises(Refused) as refused:
            shop.sign(request_id, name)
        assert refused.value.code == "not_a_signer"
    with pytest.raises(NotAllowed):
        shop.sign(request_id, "victor")
    shop.sign(request_id, "tina")


def test_a_stage_asks_the_people_of_a_team_as_they_are_by_now(shop: Shop) -> None:
    accounts = services_of(shop.app).accounts
    stage = ApprovalStage(teams=("returns",))
    shop.policy(stages=(stage,))
    with pytest.raises(Refused, match="1 of team returns") as refused:
        shop.ask()
    assert refused.value.code == "nobody_can_sign"
    accounts.set_team("tina", "returns")
    request_id = shop.ask()
    waiting = ListApprovalRequests(waits_for="tina")
    asking = QueryContext(actor=shop.actor("tina"))
    assert len(shop.kernel.queries.ask(waiting, asking).value.rows) == 1
    accounts.set_team("tina", "")
    for name in ("ada", "tina"):
        with pytest.raises(Refused) as refused:
            shop.sign(request_id, name)
        assert refused.value.code == "not_a_signer"
    accounts.set_team("tina", "returns")
    shop.sign(request_id, "tina")
    assert shop.state(request_id) == "approved"


def test_who_has_a_custom_role_that_may_not_sign_does_not_count(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(people=("tina",)),))
    role = DefineRole(role="desk", based_on=Role.SUPERVISOR, permissions=("approvals.view",))
    shop.run(role, "ada")
    shop.run(ChangeOperatorRole(operator="tina", role="desk"), "ada")
    with pytest.raises(Refused) as refused:
        shop.ask()
    assert refused.value.code == "nobody_can_sign"
    able = ("approvals.view", "approvals.sign")
    shop.run(ChangeRole(role="desk", permissions=able), "ada")
    shop.ask()


def test_where_nobody_could_sign_it_is_refused_at_once_and_says_who_could_be_made_able(
    shop: Shop,
) -> None:
    shop.policy(stages=(ApprovalStage(role=Role.ADMIN),))
    with pytest.raises(Refused) as refused:
        shop.run(REFUND, "ada")
    assert refused.value.code == "nobody_can_sign"
    assert "1 admin other than you" in refused.value.sentence
    shop.policy(stages=(ApprovalStage(approvals=3),))
    with pytest.raises(Refused, match=r"3 supervisors other than you.*1 missing"):
        shop.run(REFUND, "sam")


def test_every_stage_needs_its_number_of_people_one_after_the_other(shop: Shop) -> None:
    shop.policy("ApproveOrder", stages=(ApprovalStage(approvals=2), ApprovalStage(role=Role.ADMIN)))
    request_id = shop.ask(ApproveOrder(order_id="A-1"), "olga")
    shop.sign(request_id, "sam")
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "sam")
    assert refused.value.code == "already_signed"
    shop.sign(request_id, "tina")
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "tina")
    assert (refused.value.code, shop.state(request_id)) == ("already_signed", "open")
    shop.sign(request_id, "ada")
    shop.work()
    assert "OrderApproved" in shop.events("order-A-1")


def test_a_signature_is_for_exactly_what_was_shown(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, digest="0" * 64)
    assert refused.value.code == "not_as_shown"


def test_content_that_changed_since_makes_the_request_stale_instead_of_signed(shop: Shop) -> None:
    shop.policy("CancelOrder")
    request_id = shop.ask(CANCEL)
    shop.run(AddOrderNote(order_id="A-1", note="The customer called."))
    assert shop.sign(request_id).events == ("ApprovalOutdated",)
    assert shop.state(request_id) == "stale"
    shop.work()
    assert "OrderCancelled" not in shop.events("order-A-1")


def test_content_that_changes_after_approval_is_not_carried_out(shop: Shop) -> None:
    shop.policy("CancelOrder")
    request_id = shop.ask(CANCEL)
    shop.sign(request_id)
    shop.run(AddOrderNote(order_id="A-1", note="The customer called."))
    shop.work()
    assert shop.state(request_id) == "stale"
    assert "OrderCancelled" not in shop.events("order-A-1")


def test_a_stale_request_with_signatures_can_be_withdrawn_or_asked_again(shop: Shop) -> None:
    shop.policy("CancelOrder", stages=(ApprovalStage(approvals=2),))
    request_id = shop.ask(CANCEL)
    shop.sign(request_id, "tina")
    old = shop.view(request_id).digest
    shop.run(AddOrderNote(order_id="A-1", note="The customer called."))
    shop.sign(request_id, "ada")
    assert shop.state(request_id) == "stale"
    shop.run(ResubmitRequest(request_id=request_id), "sam")
    view = shop.view(request_id)
    assert (view.state, view.round, view.signed) == ("open", 2, ())
    assert len(view.history) == 4
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "tina", digest=old)
    assert refused.value.code == "not_as_shown"
    shop.run(AddOrderNote(order_id="A-1", note="And again."))
    shop.sign(request_id, "ada")
    shop.run(WithdrawRequest(request_id=request_id), "sam")
    assert shop.state(request_id) == "withdrawn"


def test_what_needs_more_approvals_by_now_is_not_asked_again_with_fewer(shop: Shop) -> None:
    shop.policy("ChangeShippingAddress")
    large: dict[str, Any] = {
        "over": Decimal(60),
        "currency": "EUR",
        "stages": (ApprovalStage(role=Role.ADMIN),),
    }
    command = SetApprovalPolicy(policy="large", commands=("ChangeShippingAddress",), **large)
    shop.run(command, "ada")
    request_id = shop.ask(MOVE)
    assert [each.role for each in shop.view(request_id).stages] == ["supervisor"]
    line = OrderLine(sku="DESK", quantity=2, unit_price=Decimal(40))
    shop.run(ChangeOrderLines(order_id="A-1", added=(line,)))
    shop.sign(request_id)
    assert shop.state(request_id) == "stale"
    with pytest.raises(Refused, match="needs 1 admin as well now") as refused:
        shop.run(ResubmitRequest(request_id=request_id), "sam")
    assert refused.value.code == "more_needed"
    shop.run(WithdrawRequest(request_id=request_id), "sam")
    assert len(shop.view(shop.ask(MOVE)).stages) == 2


def test_any_no_ends_it_and_no_earlier_yes_revives_it(shop: Shop) -> None:
    shop.policy("CancelOrder", stages=(ApprovalStage(approvals=2),))
    request_id = shop.ask(CANCEL)
    shop.sign(request_id, "tina")
    shop.sign(request_id, "tina", "refuse", comment="I was wrong.")
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "ada")
    assert refused.value.code == "not_open"
    shop.work()
    assert "OrderCancelled" not in shop.events("order-A-1")


def test_a_refusal_keeps_the_evidence_and_needs_a_comment(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, decision="refuse")
    assert refused.value.code == "comment_needed"
    shop.sign(request_id, decision="refuse", comment="No receipt.")
    view = shop.view(request_id)
    assert (view.state, view.payload["reason"], view.history[-1].comment) == (
        "refused",
        "Scratched.",
        "No receipt.",
    )


def test_returned_with_a_comment_it_is_asked_again_as_a_new_round(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    with pytest.raises(Invalid):
        shop.sign(request_id, decision="return")
    shop.sign(request_id, decision="return", comment="Please attach the receipt.")
    assert shop.state(request_id) == "returned"
    with pytest.raises(Refused) as refused:
        shop.run(ResubmitRequest(request_id=request_id), "olga")
    assert refused.value.code == "not_yours"
    shop.run(ResubmitRequest(request_id=request_id, comment="Attached."))
    shop.sign(request_id)
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)


def test_of_a_yes_and_a_no_at_once_the_first_in_the_stream_decides(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy()
    request_id = shop.ask()
    digest, commit = shop.view(request_id).digest, shop.kernel.store.commit

    def refused_meanwhile(changes: Any) -> None:
        monkeypatch.setattr(shop.kernel.store, "commit", commit)
        shop.sign(request_id, "ada", "refuse", comment="No.", digest=digest)
        commit(changes)

    monkeypatch.setattr(shop.kernel.store, "commit", refused_meanwhile)
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, "tina", digest=digest)
    assert refused.value.code == "not_open"
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("refused", 0)


def test_two_approvals_at_once_count_as_two(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.policy(stages=(ApprovalStage(approvals=2),))
    request_id = shop.ask()
    commit = shop.kernel.store.commit

    def approved_meanwhile(changes: Any) -> None:
        monkeypatch.setattr(shop.kernel.store, "commit", commit)
        shop.sign(request_id, "ada")
        commit(changes)

    monkeypatch.setattr(shop.kernel.store, "commit", approved_meanwhile)
    shop.sign(request_id, "tina")
    assert shop.state(request_id) == "approved"
    assert shop.events(f"approval-{request_id}").count("ApprovalGranted") == 1
    shop.work()
    assert shop.refunds() == 1


def test_killed_after_it_was_carried_out_it_is_not_carried_out_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.sign(request_id)
    task = shop.kernel.registry.tasks["approvals"]
    with monkeypatch.context() as patched:
        patched.setattr(task, "_record", lambda *rest: None)
        task.work(shop.kernel, request_id)
    assert (shop.state(request_id), shop.refunds()) == ("approved", 1)
    expire_leases(shop)
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)


def test_two_processes_that_carry_it_out_record_that_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.sign(request_id)
    task = shop.kernel.registry.tasks["approvals"]
    execute = task._execute

    def slower_than_another(*call: Any) -> None:
        execute(*call)
        execute(*call)

    monkeypatch.setattr(task, "_execute", slower_than_another)
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)


def test_what_expires_while_it_is_carried_out_is_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.sign(request_id)
    task = shop.kernel.registry.tasks["approvals"]
    decide = Decider.decide
    expired = []

    def expires_first(decider: Decider, call: Call) -> Change:
        if call.name == "RefundPayment" and not call.dry and not expired:
            expired.append(request_id)
            request, _ = repository.load(ApprovalRequest, f"approval-{request_id}")
            task._record(shop.kernel, request_id, request, RequestState.EXPIRED)
        return decide(decider, call)

    repository = Repository(shop.kernel.store, shop.kernel.registry.codec)
    monkeypatch.setattr(Decider, "decide", expires_first)
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("expired", 0)


def test_without_the_permission_by_then_it_fails_and_says_so(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.sign(request_id)
    services_of(shop.app).accounts.disable("sam")
    shop.work()
    assert shop.state(request_id) == "failed"
    assert "sam" in shop.view(request_id).history[-1].comment
    assert shop.refunds() == 0


def test_what_the_rules_refuse_by_then_is_stale(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.run(RemoveApprovalPolicy(policy="test"), "ada")
    shop.run(replace(REFUND, amount=Decimal(40)))
    assert shop.sign(request_id).events == ("ApprovalOutdated",)
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("stale", 1)


def test_what_nobody_decides_expires_and_so_does_what_is_not_carried_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy("RefundPayment", "CancelOrder", stages=(ApprovalStage(hours=2),), carry_out_hours=1)
    with hours_ago(shop, 3, monkeypatch):
        undecided, approved = shop.ask(), shop.ask(CANCEL)
        shop.sign(approved)
    with pytest.raises(Refused) as refused:
        shop.sign(undecided)
    assert refused.value.code == "deadline_over"
    shop.work()
    assert (shop.state(undecided), shop.state(approved)) == ("expired", "expired")
    assert "OrderCancelled" not in shop.events("order-A-1")


def test_a_policy_just_set_holds_for_the_next_command_of_another_process(
    make_people: MakeConsole,
) -> None:
    shop, other = Shop(make_people()), services_of(make_people()).kernel
    context = {"actor": shop.actor("sam"), "channel": "form"}
    other.commands.execute(AddOrderNote(order_id="A-1", note="Hello."), Context(**context))
    shop.policy()
    assert other.commands.execute(REFUND, Context(**context)).status == "requested"
    shop.pay("P-2", order_id="A-2")
    shop.run(RemoveApprovalPolicy(policy="test"), "ada")
    again = replace(REFUND, payment_id="P-2")
    [outcome] = other.commands.execute_batch([(again, Context(**context))])
    assert outcome.receipt is not None
    assert outcome.receipt.status == "succeeded"


def test_a_condition_on_a_field_that_the_command_lacks_is_refused(shop: Shop) -> None:
    condition = FieldCondition(field="ammount", comparison=Comparison.OVER, value="10")
    with pytest.raises(Refused, match="RefundPayment has no field ammount"):
        shop.policy(conditions=(condition,))
    assert shop.run(REFUND).status == "succeeded"
    shop.policy(conditions=(replace(condition, field="amount"),))
    shop.ask()


def test_without_retries_another_process_is_refused_once_after_a_policy_was_set(
    make_people: MakeConsole,
) -> None:
    shop, other = Shop(make_people()), services_of(make_people(command_retry_attempts=1)).kernel
    context = {"actor": shop.actor("sam"), "channel": "form"}
    note = AddOrderNote(order_id="A-1", note="Hello.")
    other.commands.execute(note, Context(**context))
    shop.policy()
    with pytest.raises(VersionConflict):
        other.commands.execute(note, Context(**context))
    assert other.commands.execute(note, Context(**context)).status == "succeeded"
    assert other.commands.execute(REFUND, Context(**context)).status == "requested"


def test_a_policy_just_set_holds_for_a_batch_of_another_process(make_people: MakeConsole) -> None:
    shop, other = Shop(make_people()), services_of(make_people()).kernel
    context = {"actor": shop.actor("sam"), "channel": "form"}
    other.commands.execute(AddOrderNote(order_id="A-1", note="Hello."), Context(**context))
    shop.policy()
    [outcome] = other.commands.execute_batch([(REFUND, Context(**context))])
    assert outcome.receipt is not None
    assert outcome.receipt.status == "requested"


def test_history_is_not_asked_and_neither_are_the_consoles_own_processes(shop: Shop) -> None:
    shop.policy()
    importer = Actor("importer", frozenset({"payments.refund", "history.record"}))
    past = datetime(2024, 5, 1, tzinfo=UTC)
    fulfilment = Actor("fulfilment", frozenset({"payments.refund"}))
    commands = shop.kernel.commands
    first = commands.execute(REFUND, Context(actor=fulfilment, channel="process"))
    second = commands.execute(REFUND, Context(actor=importer, channel="import", occurred_at=past))
    assert (first.status, second.status) == ("succeeded", "succeeded")


def test_nobody_carries_out_a_request_by_using_its_id(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    with pytest.raises(Refused) as refused:
        shop.run(REFUND, command_id=f"approval~{request_id}", channel="approval")
    assert (refused.value.code, shop.refunds()) == ("not_approved", 0)


def test_an_emergency_is_carried_out_at_once_and_everybody_sees_who_did_it(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    override = OverrideApproval(
        request_id=request_id, digest=shop.view(request_id).digest, reason="The site is down."
    )
    with pytest.raises(NotAllowed):
        shop.run(override, "tina")
    shop.run(override, "ada")
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)
    [entry] = [each for each in shop.view(request_id).history if "Overridden" in each.type]
    assert (entry.operator, entry.comment) == ("ada", "The site is down.")


def test_an_erased_person_ends_the_request_and_the_evidence_stays(shop: Shop) -> None:
    shop.run(RegisterCustomer(customer_id="C-1", email="ann@example.com"))
    shop.run(AssignOrderToCustomer(order_id="A-1", customer_id="C-1"))
    shop.policy("ChangeShippingAddress")
    request_id = shop.ask(MOVE)
    assert "Rue" in str(shop.view(request_id).payload)
    hashed = shop.view(request_id).payload_hash
    shop.run(EraseCustomer(customer_id="C-1", reason="Asked for it."), "ada")
    shop.work()
    view = shop.view(request_id)
    assert (view.state, view.payload, view.payload_hash) == ("void", {}, hashed)
    assert [each.operator for each in view.history] == ["sam", "approvals"]
    assert "Rue" not in str(
        [each.payload for each in shop.kernel.store.events_of(f"approval-{request_id}")]
    )


def test_fields_are_shown_only_to_whom_the_command_log_would_show_them(shop: Shop) -> None:
    shop.policy("ChangeShippingAddress")
    request_id = shop.ask(MOVE, "olga")
    question = GetApprovalRequest(request_id=request_id)
    for permissions, shown in (
        ({"approvals.view", "customers.view"}, False),
        ({"approvals.view", "customers.view", "orders.address"}, True),
        ({"approvals.view", "customers.view", "commands.view"}, True),
    ):
        asking = QueryContext(actor=Actor("somebody", frozenset(permissions)))
        view = shop.kernel.queries.ask(question, asking).value
        assert ("Oberkampf" in str(view), view.fields_hidden) == (shown, not shown)


def test_the_hash_of_an_erased_command_does_not_reveal_its_fields(shop: Shop) -> None:
    shop.run(RegisterCustomer(customer_id="C-1", email="ann@example.com"))
    shop.run(AssignOrderToCustomer(order_id="A-1", customer_id="C-1"))
    shop.policy("ChangeShippingAddress")
    request_id = shop.ask(MOVE)
    [first] = shop.kernel.store.events_of(f"approval-{request_id}")
    event: Any = shop.kernel.registry.codec.decode(first).event
    assert payload_hash(event.payload, event.salt) == event.payload_hash
    assert event.salt not in first.payload
    shop.run(EraseCustomer(customer_id="C-1", reason="Asked for it."), "ada")
    guess: Any = shop.kernel.registry.codec.decode(first).event
    assert payload_hash(event.payload, guess.salt) != event.payload_hash
    assert payload_hash(event.payload, "") != event.payload_hash


def test_a_request_of_an_earlier_release_keeps_its_hash() -> None:
    stored = UPCASTERS["ApprovalRequested", 1](
        {"payload": '{"b":1,"a":2}', "policies": [], "stages": []}
    )
    assert payload_hash(stored["payload"], stored["salt"]) == digest_of({"a": 2, "b": 1})


def test_the_logs_verify_with_requests_in_them(shop: Shop) -> None:
    shop.policy()
    request_id = shop.ask()
    shop.sign(request_id)
    shop.work()
    faults = [each for each in shop.kernel.verify_streams() if each.fault]
    faults += [each for each in shop.kernel.verify_logs() if each.fault]
    assert faults == []
