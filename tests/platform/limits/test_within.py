"""Limits of roles at the doors of the command bus."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cqrs_app.areas.assignments.commands import AssignOrder
from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder, ChangeOrderLines, PlaceOrder
from cqrs_app.areas.orders.types import ChangedLine, OrderLine, ShippingAddress
from cqrs_app.areas.payments.commands import RefundPayment
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.operators.commands import ChangeOperatorRole, ChangeRole, DefineRole
from cqrs_app.platform.operators.roles import LIMITED
from cqrs_app.platform.operators.types import AmountLimit
from cqrs_app.services import Services, services_of
from tests.platform.approvals.conftest import Shop
from tests.services.statements import statements

PERMISSIONS = ("orders.view", "orders.note", "payments.refund", "payments.view")
UP_TO_10 = AmountLimit(command="RefundPayment", amount=Decimal(10), currency="EUR")


def refund(amount: int) -> RefundPayment:
    return RefundPayment(payment_id="P-1", amount=Decimal(amount), reason="Scratched.")


def define(shop: Shop, **limits: Any) -> Services:
    """Sam gets a role with these limits."""
    shop.run(
        DefineRole(role="desk", based_on="supervisor", permissions=PERMISSIONS, **limits), "ada"
    )
    shop.run(ChangeOperatorRole(operator="sam", role="desk"), "ada")
    return services_of(shop.app)


def sam(shop: Shop) -> Actor:
    """As the next request finds him."""
    services = services_of(shop.app)
    found = services.sessions.find(services.sessions.open("sam"))
    assert found is not None
    return found.actor


def send(shop: Shop, command: Command, actor: Actor | None = None) -> Any:
    context = Context(actor=actor or sam(shop), channel="test")
    return shop.kernel.commands.execute(command, context)


def test_a_refund_over_the_limit_is_refused_and_logged(shop: Shop) -> None:
    define(shop, amounts=(UP_TO_10,))
    with pytest.raises(Refused, match=r"up to EUR 10\.00") as refused:
        send(shop, refund(11))
    assert refused.value.code == "beyond_limit"
    assert shop.refunds() == 0
    send(shop, refund(10))
    assert shop.refunds() == 1


def test_the_limit_holds_in_a_batch_in_a_preview_and_when_postponed(shop: Shop) -> None:
    define(shop, amounts=(UP_TO_10,))
    commands, context = shop.kernel.commands, Context(actor=sam(shop), channel="test")
    (outcome,) = commands.execute_batch([(refund(11), context)])
    assert isinstance(outcome.error, Refused)
    assert outcome.error.code == "beyond_limit"
    with pytest.raises(Refused, match="your role may"):
        commands.preview(refund(11), Context(actor=sam(shop), channel="test"))
    with pytest.raises(Refused, match="your role may"):
        commands.postpone(refund(11), Context(actor=sam(shop), channel="test"), 5)
    assert shop.refunds() == 0


def test_a_queued_command_is_refused_when_it_runs(shop: Shop) -> None:
    define(shop, amounts=(UP_TO_10,))
    context = Context(actor=sam(shop), channel="test")
    shop.kernel.commands.enqueue(refund(11), context)
    with pytest.raises(Refused, match="your role may"):
        shop.kernel.commands.run_queued(context.command_id)
    assert shop.refunds() == 0


@pytest.mark.parametrize("narrowed", [(), ("payments.refund",)])
def test_a_token_with_the_role_has_its_limits(shop: Shop, narrowed: tuple[str, ...]) -> None:
    services = define(shop, amounts=(UP_TO_10,))
    secret = services.tokens.create("till", "desk", permissions=narrowed, made_by="ada")
    token = services.tokens.find(secret)
    assert token is not None
    with pytest.raises(Refused, match="your role may"):
        send(shop, refund(11), token.actor)
    send(shop, refund(10), token.actor)


def test_a_new_token_has_no_limits_of_a_revoked_one_of_its_name(shop: Shop) -> None:
    services = define(shop, amounts=(UP_TO_10,))
    up_to_20 = AmountLimit(command="RefundPayment", amount=Decimal(20), currency="EUR")
    more = DefineRole(
        role="counter", based_on="supervisor", permissions=PERMISSIONS, amounts=(up_to_20,)
    )
    shop.run(more, "ada")
    services.tokens.create("till", "desk", made_by="ada")
    services.tokens.revoke("till", "ada")
    token = services.tokens.find(services.tokens.create("till", "counter", made_by="ada"))
    assert token is not None
    with pytest.raises(Refused, match=r"up to EUR 20\.00"):
        send(shop, refund(21), token.actor)
    send(shop, refund(11), token.actor)
    assert shop.refunds() == 1


def test_the_actor_behind_an_approved_request_has_the_limits_too(shop: Shop) -> None:
    services = define(shop, amounts=(UP_TO_10,))
    actor = services.signers.actor_now(Actor("sam"))
    assert actor is not None
    assert LIMITED in actor.permissions
    assert services.signers.of("sam").role == "supervisor", "what it is based on"


def test_a_changed_limit_counts_with_the_next_command(shop: Shop) -> None:
    define(shop, amounts=(UP_TO_10,))
    before = sam(shop)
    more = AmountLimit(command="RefundPayment", amount=Decimal(20), currency="EUR")
    shop.run(ChangeRole(role="desk", permissions=PERMISSIONS, amounts=(more,)), "ada")
    send(shop, refund(20), before)
    assert shop.refunds() == 1


@pytest.mark.parametrize("lifting", ["operators.manage", "tokens.manage"])
def test_a_role_with_limits_cannot_lift_them(shop: Shop, lifting: str) -> None:
    given: Any = {"role": "lead", "permissions": (lifting,)}
    define_lead = partial(DefineRole, based_on=Role.ADMIN, **given)
    with pytest.raises(Refused, match=lifting) as refused:
        shop.run(define_lead(amounts=(UP_TO_10,)), "ada")
    assert refused.value.code == "limits_avoidable"
    shop.run(define_lead(), "ada")
    with pytest.raises(Refused, match=lifting):
        shop.run(ChangeRole(teams=("returns",), **given), "ada")


def line(price: int, sku: str = "LAMP") -> OrderLine:
    return OrderLine(sku=sku, quantity=1, unit_price=Decimal(price))


def test_an_order_that_is_placed_or_changed_is_worth_what_it_would_be_afterwards(
    shop: Shop,
) -> None:
    rights = (*PERMISSIONS, "orders.place", "orders.change_lines")
    limits = tuple(
        AmountLimit(command=name, amount=Decimal(50), currency="EUR")
        for name in ("PlaceOrder", "ChangeOrderLines")
    )
    services = define(shop)
    shop.run(ChangeRole(role="desk", permissions=rights, amounts=limits), "ada")
    place = partial(PlaceOrder, country="IE", currency="EUR")
    with pytest.raises(Refused, match="up to EUR 50"):
        send(shop, place(order_id="A-2", lines=(line(51),)))
    send(shop, place(order_id="A-2", lines=(line(50),)))
    change = ChangeOrderLines(
        order_id="A-2", lines=(ChangedLine(line_no=1, quantity=1, unit_price=Decimal(900)),)
    )
    with pytest.raises(Refused, match="up to EUR 50"):
        send(shop, change)
    assert services.kernel.store.versions_of(["order-A-2"]) == {"order-A-2": 1}


def test_in_a_batch_the_commands_before_count(shop: Shop) -> None:
    """A-1 is worth 40."""
    define(shop)
    rights = (*PERMISSIONS, "orders.change_lines", "orders.approve", "orders.place")
    limit = AmountLimit(command="ApproveOrder", amount=Decimal(50), currency="EUR")
    shop.run(ChangeRole(role="desk", permissions=rights, amounts=(limit,)), "ada")
    by = [Context(actor=sam(shop), channel="test") for _ in range(4)]
    changed, approved, placed, other = shop.kernel.commands.execute_batch(
        [
            (
                ChangeOrderLines(
                    order_id="A-1",
                    lines=(ChangedLine(line_no=1, quantity=1, unit_price=Decimal(900)),),
                ),
                by[0],
            ),
            (ApproveOrder(order_id="A-1"), by[1]),
            (PlaceOrder(order_id="A-2", country="FR", currency="EUR", lines=(line(9),)), by[2]),
            (ApproveOrder(order_id="A-2"), by[3]),
        ]
    )
    assert changed.receipt
    assert isinstance(approved.error, Refused)
    assert approved.error.code == "beyond_limit"
    assert placed.receipt
    assert other.receipt, other.error
    assert shop.events("order-A-1")[-1] == "OrderLinesChanged"
    assert shop.events("order-A-2")[-1] == "OrderApproved"


def test_an_order_is_not_placed_to_another_country_by_its_address_alone(shop: Shop) -> None:
    define(shop)
    rights = (*PERMISSIONS, "orders.place")
    shop.run(ChangeRole(role="desk", permissions=rights, countries=("Ireland",)), "ada")
    there = ShippingAddress(name="Jo", line1="Calle 1", city="Madrid", country="Spain")
    order = PlaceOrder(order_id="A-2", currency="EUR", lines=(line(5),), shipping_address=there)
    with pytest.raises(Refused, match="orders to Ireland only"):
        send(shop, order)


def test_countries_and_teams_limit_what_is_done_to_an_order(shop: Shop) -> None:
    define(shop, countries=("Ireland",))
    note = AddOrderNote(order_id="A-1", note="Called.")
    with pytest.raises(Refused, match="orders to Ireland only"):
        send(shop, note)
    shop.run(
        ChangeRole(role="desk", permissions=PERMISSIONS, countries=("FR",), teams=("returns",)),
        "ada",
    )
    with pytest.raises(Refused, match="orders of returns only"):
        send(shop, note)
    with pytest.raises(Refused, match="orders of returns only"):
        send(shop, refund(1))
    shop.run(AssignOrder(order_id="A-1", operator="sam"), "tina")
    send(shop, note)
    send(shop, refund(1))


def test_who_has_no_limits_sends_no_statement_more(shop: Shop) -> None:
    def sent(actor: Actor, note: str) -> int:
        with statements() as found:
            send(shop, AddOrderNote(order_id="A-1", note=note), actor)
        return len(found)

    define(shop)
    sent(shop.actor("tina"), "warm")
    usual = sent(shop.actor("tina"), "one")
    assert LIMITED not in sam(shop).permissions
    assert sent(sam(shop), "two") == usual


def test_a_token_is_held_within_the_limits_of_who_made_it(shop: Shop) -> None:
    services = services_of(shop.app)
    secret = services.tokens.create("till", "supervisor", made_by="sam")
    define(shop, amounts=(UP_TO_10,))
    token = services.tokens.find(secret)
    assert token is not None
    with pytest.raises(Refused, match=r"up to EUR 10\.00"):
        send(shop, refund(11), token.actor)
