"""Who signs, and whoever they sign for, stays within the limits of the role of each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.orders.commands import ChangeShippingAddress
from cqrs_app.areas.orders.types import ShippingAddress
from cqrs_app.areas.payments.commands import RefundPayment
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.approvals.commands import DelegateSignatures, SignRequest
from cqrs_app.platform.approvals.types import ApprovalStage, SignDecision
from cqrs_app.platform.operators.commands import ChangeOperatorRole, ChangeRole, DefineRole
from cqrs_app.platform.operators.types import AmountLimit
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import Shop
from tests.platform.limits.test_within import define, send

RIGHTS = ("payments.refund", "payments.view", "approvals.sign", "approvals.view")
UP_TO_10 = AmountLimit(command="RefundPayment", amount=Decimal(10), currency="EUR")


def limited(shop: Shop, name: str, **limits: Any) -> None:
    shop.run(DefineRole(role="desk", based_on="supervisor", permissions=RIGHTS, **limits), "ada")
    shop.run(ChangeOperatorRole(operator=name, role="desk"), "ada")


def sign(shop: Shop, name: str, request_id: str, decision: str = "approve") -> None:
    services = services_of(shop.app)
    found = services.sessions.find(services.sessions.open(name))
    assert found is not None
    command = SignRequest(
        request_id=request_id,
        decision=SignDecision(decision),
        digest=shop.view(request_id).digest,
        comment="No.",
    )
    shop.kernel.commands.execute(command, Context(actor=found.actor, channel="form"))
    catch_up(shop.app)


def delegated(shop: Shop, owner: str, delegate: str) -> None:
    until = shop.kernel.clock() + timedelta(days=1)
    shop.run(DelegateSignatures(operator=owner, delegate=delegate, until=until), owner)
    catch_up(shop.app)


def test_nobody_approves_what_their_own_role_may_not_do(shop: Shop) -> None:
    limited(shop, "tina", amounts=(UP_TO_10,))
    shop.policy()
    request_id = shop.ask()  # a refund of 12
    with pytest.raises(Refused, match=r"your role may do this up to EUR 10\.00"):
        sign(shop, "tina", request_id)
    assert shop.view(request_id).signed == ()
    sign(shop, "tina", request_id, "refuse")
    assert shop.state(request_id) == "refused"


def test_a_delegate_does_not_sign_beyond_the_limits_of_whom_they_sign_for(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(people=("tina",)),))
    request_id = shop.ask()
    limited(shop, "tina", amounts=(UP_TO_10,))
    delegated(shop, "tina", "ada")
    with pytest.raises(Refused, match=r"the role of tina may do this up to EUR 10\.00") as refused:
        sign(shop, "ada", request_id)
    assert refused.value.code == "beyond_limit"
    assert shop.view(request_id).signed == ()


def test_a_delegate_does_not_sign_beyond_their_own_limits_either(shop: Shop) -> None:
    limited(shop, "tina", amounts=(UP_TO_10,))
    shop.policy(stages=(ApprovalStage(people=("ada",)),))
    delegated(shop, "ada", "tina")
    request_id = shop.ask()
    with pytest.raises(Refused, match=r"your role may do this up to EUR 10\.00"):
        sign(shop, "tina", request_id)


def test_within_the_limits_of_both_a_delegate_signs(shop: Shop) -> None:
    up_to_20 = AmountLimit(command="RefundPayment", amount=Decimal(20), currency="EUR")
    limited(shop, "tina", amounts=(up_to_20,))
    shop.policy(stages=(ApprovalStage(people=("tina",)),))
    delegated(shop, "tina", "ada")
    request_id = shop.ask()
    sign(shop, "ada", request_id)
    assert shop.view(request_id).signed_for == {"ada": "tina"}


def test_what_only_people_beyond_their_limits_could_sign_is_refused_at_once(shop: Shop) -> None:
    limited(shop, "tina", amounts=(UP_TO_10,))
    shop.policy(stages=(ApprovalStage(approvals=2),))
    with pytest.raises(Refused, match="1 missing, since it is beyond the limits") as refused:
        shop.ask()  # a refund of 12, which only ada could sign
    assert refused.value.code == "nobody_can_sign"
    assert "Ask an administrator to raise the limits of tina, or to give" in refused.value.sentence
    assert (shop.view_all(), shop.refunds()) == ([], 0)
    small = shop.ask(RefundPayment(payment_id="P-1", amount=Decimal(10), reason="Scratched."))
    for name in ("tina", "ada"):
        sign(shop, name, small)
    assert shop.state(small) == "approved"


@pytest.mark.parametrize("limits", [{"countries": ("Spain",)}, {"teams": ("returns",)}])
def test_limits_on_countries_and_teams_count_where_somebody_has_to_sign(
    shop: Shop, limits: Any
) -> None:
    limited(shop, "tina", **limits)
    shop.policy(stages=(ApprovalStage(people=("tina",)),))
    with pytest.raises(Refused, match="raise the limits of tina, or to change who") as refused:
        shop.ask()
    assert refused.value.code == "nobody_can_sign"


def test_an_order_is_not_moved_to_a_country_that_the_role_may_not_act_on(shop: Shop) -> None:
    define(shop)
    rights = ("orders.view", str(ChangeShippingAddress.declaration.permission))
    shop.run(ChangeRole(role="desk", permissions=rights, countries=("France",)), "ada")

    def to(country: str) -> ChangeShippingAddress:
        there = ShippingAddress(name="Jo", line1="Street 1", city="Town", country=country)
        return ChangeShippingAddress(order_id="A-1", address=there)

    send(shop, to("France"))
    with pytest.raises(Refused, match="orders to France only"):
        send(shop, to("Spain"))
    assert shop.events("order-A-1").count("ShippingAddressChanged") == 1
