"""What a policy would have asked for in the last 30 days."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder, CancelOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.areas.payments.commands import RefundPayment
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.approvals import preview
from cqrs_app.platform.approvals.preview import PolicyPreview, PreviewApprovalPolicy
from cqrs_app.platform.approvals.types import Comparison, FieldCondition, SentFrom
from cqrs_app.services import services_of
from tests.platform.approvals.conftest import Shop
from tests.platform.approvals.test_doors import program, signed_in
from tests.services.statements import statements


def previewed(shop: Shop, *commands: str, **terms: Any) -> PolicyPreview:
    question = PreviewApprovalPolicy(commands=commands or ("RefundPayment",), **terms)
    found = shop.kernel.queries.ask(question, QueryContext(actor=shop.actor("ada"))).value
    assert isinstance(found, PolicyPreview)
    return found


def refund(shop: Shop, payment_id: str, amount: int, name: str = "sam", **context: Any) -> None:
    command = RefundPayment(payment_id=payment_id, amount=Decimal(amount), reason="Scratched.")
    shop.run(command, name, **context)


@pytest.fixture
def refunded(shop: Shop) -> Shop:
    """A shop in which sam refunded 5 and 30 of A-1 and ada, by the API, 10 of A-2."""
    shop.pay("P-2", amount=60, order_id="A-2")
    shop.run(ApproveOrder(order_id="A-2"))
    refund(shop, "P-1", 5)
    refund(shop, "P-1", 30)
    refund(shop, "P-2", 10, "ada", channel="api")
    return shop


@pytest.mark.parametrize(
    ("terms", "asked"),
    [
        ({}, 3),
        ({"over": Decimal(9), "currency": "EUR"}, 2),
        ({"over": Decimal(100), "currency": "GBP"}, 3),
        ({"moves_money": True}, 3),
        ({"statuses": ("approved",)}, 1),
        ({"statuses": ("placed",)}, 2),
        ({"countries": ("France",)}, 3),
        ({"countries": ("Spain",)}, 0),
        ({"asked_by": (Role.ADMIN,)}, 1),
        ({"channels": (SentFrom.API,)}, 1),
        (
            {
                "conditions": (
                    FieldCondition(field="amount", comparison=Comparison.OVER, value="9"),
                )
            },
            2,
        ),
    ],
)
def test_each_condition_is_compared_with_what_was_sent_then(
    refunded: Shop, terms: dict[str, Any], asked: int
) -> None:
    found = previewed(refunded, **terms)
    assert (found.asked, found.considered, found.total, found.unclear) == (asked, 3, 3, 0)
    assert len(found.examples) == asked


def test_an_order_that_is_placed_is_worth_what_it_comes_to(refunded: Shop) -> None:
    over = {"over": Decimal(50), "currency": "EUR"}
    assert previewed(refunded, "PlaceOrder", **over).asked == 1
    assert previewed(refunded, "PlaceOrder", countries=("France",)).asked == 2
    refunded.policy("PlaceOrder", **over)
    line = OrderLine(sku="LAMP", quantity=1, unit_price=Decimal(51))
    refunded.ask(PlaceOrder(order_id="A-3", country="FR", currency="EUR", lines=(line,)))


def test_money_that_followed_counts_and_so_does_the_worth_of_what_moves_none(shop: Shop) -> None:
    cancel = CancelOrder(order_id="A-1", reason=CancelReason.CUSTOMER_REQUEST)
    shop.run(AddOrderNote(order_id="A-1", note="Call them."))
    shop.run(cancel)
    over = {"over": Decimal(39), "currency": "EUR"}
    assert previewed(shop, "AddOrderNote", **over).asked == 1
    assert previewed(shop, "AddOrderNote", **over | {"over": Decimal(40)}).asked == 0
    assert previewed(shop, "CancelOrder", "AddOrderNote").asked == 2


def test_the_other_items_of_a_batch_are_not_what_followed(shop: Shop) -> None:
    batch = {"channel": "batch", "correlation_id": "b", "causation_id": "b"}
    refund(shop, "P-1", 5, **batch)
    refund(shop, "P-1", 30, **batch)
    assert previewed(shop, over=Decimal(29), currency="EUR").asked == 1
    assert previewed(shop, over=Decimal(34), currency="EUR").asked == 0


def test_what_an_event_of_it_caused_in_a_batch_is_what_followed(shop: Shop) -> None:
    shop.pay("P-2", amount=60, order_id="A-2")
    batch = {"channel": "batch", "correlation_id": "b", "causation_id": "b"}
    for order_id in ("A-1", "A-2"):
        shop.run(CancelOrder(order_id=order_id, reason=CancelReason.CUSTOMER_REQUEST), **batch)
    cause = shop.kernel.store.events_of("order-A-2")[-1].id
    refund(shop, "P-2", 15, correlation_id="b", causation_id=cause)
    assert previewed(shop, "CancelOrder", moves_money=True).asked == 1


def test_what_was_refused_or_sent_by_the_console_is_not_counted(refunded: Shop) -> None:
    with pytest.raises(Exception, match="more than"):
        refund(refunded, "P-1", 1000)
    assert previewed(refunded).total == 3


def test_what_cannot_be_evaluated_is_said(refunded: Shop) -> None:
    refunded.pay("P-3", order_id="A-3")
    refunded.policy()
    refund(refunded, "P-3", 7)
    services_of(refunded.app).accounts.disable("sam")
    found = previewed(refunded, moves_money=True)
    assert (found.asked, found.unclear) == (3, 1)
    assert found.sentence == (
        "In the last 30 days it would have applied to 3 of 4 actions. 1 could not be evaluated: "
        "It was requested, so nothing was moved at once."
    )
    found = previewed(refunded, asked_by=(Role.SUPERVISOR,))
    assert (found.asked, found.unclear) == (0, 3)
    assert found.reasons == ("Whoever sent it has no account any more.",)
    address = FieldCondition(field="address", comparison=Comparison.IS, value="x")
    assert previewed(refunded, "ChangeShippingAddress", conditions=(address,)).total == 0


def test_only_the_newest_are_looked_at(refunded: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MOST", 2)
    found = previewed(refunded)
    assert (found.asked, found.considered, found.total) == (2, 2, 3)
    assert "2 of the newest 2 of 3 actions" in found.sentence


def test_without_any_action_the_preview_says_so(shop: Shop) -> None:
    assert previewed(shop).sentence == "In the last 30 days nobody has sent such an action."


def test_an_amount_needs_its_currency_here_too() -> None:
    with pytest.raises(Invalid, match="currency"):
        PreviewApprovalPolicy(commands=("RefundPayment",), over=Decimal(5))


def test_an_action_that_cannot_need_approval_is_refused_as_in_a_policy(refunded: Shop) -> None:
    refunded.policy()
    again = RefundPayment(payment_id="P-2", amount=Decimal(1), reason="Scratched.")
    refunded.sign(refunded.ask(again))
    for name in ("SignRequest", "Refund"):
        with pytest.raises(Refused, match=f"{name} cannot need approval"):
            previewed(refunded, name)


def test_only_who_sets_policies_sees_what_others_sent(refunded: Shop) -> None:
    question = PreviewApprovalPolicy(commands=("RefundPayment",))
    for name in ("victor", "sam"):
        with pytest.raises(NotAllowed):
            refunded.kernel.queries.ask(question, QueryContext(actor=refunded.actor(name)))


def test_the_form_shows_the_preview_and_offers_what_there_is(refunded: Shop) -> None:
    services_of(refunded.app).accounts.set_team("tina", "returns")
    refunded.policy(asked_by=(Role.SUPERVISOR,))
    page = signed_in(refunded, "ada").get("/commands/SetApprovalPolicy?policy=test").text
    assert "In the last 30 days it would have applied to 2 of 3 actions." in page
    assert re.search(r'<input[^>]* checked[^>]* value="RefundPayment"', page)
    for shown in ("on_hold", "Ireland", "AdjustStock"):
        assert re.search(rf'<input[^>]* type="checkbox" value="{shown}"', page), shown
    for shown in ("tina", "returns"):
        assert f'<option value="{shown}">{shown}' in page, shown
    assert 'value="RequestApproval"' not in page


def test_the_api_and_the_command_line_preview_a_policy(refunded: Shop) -> None:
    answer = program(refunded, "ada").get(
        "/queries/PreviewApprovalPolicy", commands="RefundPayment"
    )
    assert answer.json["value"]["asked"] == 3
    words = ["query", "PreviewApprovalPolicy", "--commands", "RefundPayment", "--as", "ada"]
    assert '"asked": 3' in refunded.app.test_cli_runner().invoke(args=words).output


def test_more_actions_send_no_statement_more(refunded: Shop) -> None:
    def sent() -> int:
        with statements() as found:
            previewed(refunded, over=Decimal(9), currency="EUR", statuses=("placed",))
        return len(found)

    before = sent()
    for number in range(3, 9):
        refunded.pay(f"P-{number}", amount=60, order_id=f"A-{number}")
        refund(refunded, f"P-{number}", 10)
    assert sent() == before
