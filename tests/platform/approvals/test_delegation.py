"""Somebody signs for somebody else, for example during a holiday."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.commands import DelegateSignatures, EndDelegation
from cqrs_app.platform.approvals.tables import approval_delegations
from cqrs_app.platform.approvals.types import ApprovalStage
from cqrs_app.platform.operators.commands import ChangeOperatorRole, DefineRole
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import REFUND, Shop
from tests.platform.approvals.test_doors import program, signed_in

BY_TINA = (ApprovalStage(people=("tina",)),)


def delegate(shop: Shop, operator: str, to: str, hours: float = 8, by: str = "") -> None:
    until = shop.kernel.clock() + timedelta(hours=hours)
    command = DelegateSignatures(operator=operator, delegate=to, until=until)
    shop.run(command, by or operator)
    catch_up(shop.app)


def refusal(shop: Shop, request_id: str, name: str, decision: str = "approve") -> str:
    with pytest.raises(Refused) as refused:
        shop.sign(request_id, name, decision, comment="Because.")
    return refused.value.code


def test_a_delegate_signs_and_the_signature_says_for_whom(shop: Shop) -> None:
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    assert refusal(shop, request_id, "olga") == "not_a_signer"
    delegate(shop, "tina", "olga")
    assert "1 waiting" in signed_in(shop, "olga").get("/").text
    assert (
        "You sign for <bdi>tina</bdi>."
        in signed_in(shop, "olga").get(f"/approvals/{request_id}").text
    )
    shop.sign(request_id, "olga")
    view = shop.view(request_id)
    assert (view.state, view.signed, view.signed_for) == ("approved", ("olga",), {"olga": "tina"})
    assert next(each.on_behalf_of for each in view.history if each.operator == "olga") == "tina"
    page = signed_in(shop, "sam").get(f"/approvals/{request_id}").text
    assert "<bdi>olga</bdi> for <bdi>tina</bdi>" in page
    shop.work()
    assert (shop.state(request_id), shop.refunds()) == ("executed", 1)


def test_nobody_signs_their_own_request_through_it(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(people=("tina", "ada")),))
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "sam")
    assert refusal(shop, request_id, "sam") == "own_request"


def test_a_delegate_does_not_sign_what_the_other_one_asked_for(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(role=Role.SUPERVISOR),))
    request_id = shop.ask(name="tina")
    delegate(shop, "tina", "olga")
    assert refusal(shop, request_id, "olga") == "not_a_signer"


def test_it_is_never_passed_on(shop: Shop) -> None:
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "ada")
    delegate(shop, "ada", "olga")
    assert refusal(shop, request_id, "olga") == "not_a_signer"


def test_a_signature_counts_once_for_both(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(approvals=2),))
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga")
    shop.sign(request_id, "olga")
    for name in ("olga", "tina"):
        assert refusal(shop, request_id, name) == "already_signed"
    assert shop.state(request_id) == "open"
    shop.sign(request_id, "tina", "refuse", comment="I would not have.")
    assert shop.state(request_id) == "refused"


def test_whoever_was_signed_for_is_not_asked_to_sign_for_somebody_else(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(approvals=2),))
    request_id = shop.ask(name="sam")
    delegate(shop, "ada", "tina")
    delegate(shop, "tina", "olga")
    shop.sign(request_id, "olga")
    assert refusal(shop, request_id, "tina") == "already_signed"
    client = signed_in(shop, "tina")
    assert "1 waiting" not in client.get("/").text
    assert "You sign for" not in client.get(f"/approvals/{request_id}").text


def test_once_ended_it_holds_at_once_whatever_rows_say(shop: Shop) -> None:
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga")
    shop.run(EndDelegation(operator="tina"), "tina")  # the rows do not know it yet
    assert refusal(shop, request_id, "olga") == "not_a_signer"
    with pytest.raises(Refused) as refused:
        shop.run(EndDelegation(operator="tina"), "tina")
    assert refused.value.code == "not_delegated"


def test_it_ends_by_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga", hours=0.0001)
    with shop.kernel.engines.write.begin() as connection:
        later = shop.kernel.clock() + timedelta(hours=1)
        connection.execute(update(approval_delegations).values(until=later))
    monkeypatch.setattr(shop.kernel.commands, "_clock", lambda: later)
    assert refusal(shop, request_id, "olga") == "not_a_signer"
    with pytest.raises(Refused) as refused:
        delegate(shop, "tina", "olga", hours=-1)
    assert refused.value.code == "ends_before"


def test_only_they_themselves_delegate_and_only_to_somebody_who_signs(shop: Shop) -> None:
    for by, to, code in (
        ("ada", "olga", "not_your_signature"),
        ("tina", "tina", "unknown_delegate"),
        ("tina", "victor", "unknown_delegate"),
        ("tina", "nobody", "unknown_delegate"),
    ):
        with pytest.raises(Refused) as refused:
            delegate(shop, "tina", to, by=by)
        assert refused.value.code == code
    answer = program(shop, "tina").do(
        "DelegateSignatures", operator="tina", delegate="olga", until="2099-01-01T00:00:00Z"
    )
    assert answer.json["code"] == "not_your_signature"


def test_a_token_of_the_delegate_does_not_sign_for_somebody_else(shop: Shop) -> None:
    services_of(shop.app).tokens.create("robot", "supervisor", made_by="olga")
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga")
    assert refusal(shop, request_id, "token:robot") == "not_a_signer"


def test_whose_account_is_closed_lets_nobody_sign(shop: Shop) -> None:
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga")
    services_of(shop.app).accounts.disable("tina")
    assert refusal(shop, request_id, "olga") == "not_a_signer"


def test_whose_role_may_sign_no_longer_lets_nobody_sign_nor_does_a_token(shop: Shop) -> None:
    services_of(shop.app).tokens.create("robot", "supervisor", made_by="tina")
    shop.policy(stages=BY_TINA)
    request_id = shop.ask(name="sam")
    delegate(shop, "tina", "olga")
    shop.run(
        DefineRole(role="buyer", based_on=Role.SUPERVISOR, permissions=("orders.view",)), "ada"
    )
    shop.run(ChangeOperatorRole(operator="tina", role="buyer"), "ada")
    for name in ("olga", "token:robot"):
        assert refusal(shop, request_id, name) == "not_a_signer"
    with pytest.raises(Refused) as refused:
        shop.run(REFUND, "sam")
    assert refused.value.code == "nobody_can_sign"


def test_the_page_shows_who_signs_for_whom_and_ends_it(shop: Shop) -> None:
    delegate(shop, "tina", "olga")
    page = signed_in(shop, "tina").get("/approvals").text
    assert "<bdi>olga</bdi> signs for you until" in page
    assert "EndDelegation" in page
    assert "You sign for <bdi>tina</bdi> until" in signed_in(shop, "olga").get("/approvals").text
