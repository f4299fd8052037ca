"""What the console says will follow from a command, on real stores, and that it follows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cqrs_app.areas.fulfilment.commands import CancelFulfilment
from cqrs_app.areas.fulfilment.consequences import quantity_of, words_for
from cqrs_app.areas.inventory.events import StockAdjusted
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    CancelOrder,
    CancelRemainingItems,
    ShipOrder,
)
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel import counted
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import NotAllowed, Refused
from cqrs_app.kernel.messages.messages import Command
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, MakeDesk, OrderDesk

SUPERVISOR = Actor("ann", ROLES["supervisor"])
CANCEL = CancelOrder(order_id=THE, reason=CancelReason.OTHER)


def effects(desk: OrderDesk, command: Command, actor: Actor = SUPERVISOR) -> list[str]:
    found = desk.kernel.commands.effects(command, Context(actor=actor, channel="test"))
    return [each.sentence for each in found]


def paid(desk: OrderDesk) -> None:
    desk.stock(LAMP, 10)
    desk.stock(CARD, 10)
    desk.approve((LAMP, 4), (CARD, 1))
    desk.settle_all()


def test_a_cancellation_says_what_is_refunded_and_what_returns_to_stock(
    order_desk: OrderDesk,
) -> None:
    paid(order_desk)
    log = order_desk.kernel.store.head()
    assert effects(order_desk, CANCEL) == [
        "GBP 12.50 will be refunded to payment 1001-1.",
        "4 units of 85123A will return to stock.",
        "1 unit of CARD 1 will return to stock.",
    ]
    assert order_desk.kernel.store.head() == log
    order_desk.do(CANCEL)
    order_desk.settle_all()
    assert order_desk.paid().refunded == Decimal("12.50")
    assert not order_desk.item().reserved


def test_a_supervisor_who_undoes_fulfilment_is_told_the_same(order_desk: OrderDesk) -> None:
    paid(order_desk)
    command = CancelFulfilment(order_id=THE, reason="Agreed with the customer.")
    assert effects(order_desk, command) == [
        "The order will be cancelled.",
        "GBP 12.50 will be refunded to payment 1001-1.",
        "4 units of 85123A will return to stock.",
        "1 unit of CARD 1 will return to stock.",
    ]


def test_cancelling_what_remains_refunds_its_price_alone(order_desk: OrderDesk) -> None:
    paid(order_desk)
    part = ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=4),))
    assert effects(order_desk, part) == ["4 units of 85123A will leave stock."]
    order_desk.do(part)
    order_desk.settle_all()
    command = CancelRemainingItems(order_id=THE, reason=CancelReason.OTHER)
    assert effects(order_desk, command) == [
        "1 unit of CARD 1 will return to stock.",
        "GBP 2.50 will be refunded to payment 1001-1.",
    ]


def test_an_approval_says_what_is_reserved_and_what_is_requested(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.place((LAMP, 4))
    assert effects(order_desk, ApproveOrder(order_id=THE)) == [
        "4 units of 85123A will be reserved.",
        "GBP 10.00 will be requested as payment 1001-1.",
    ]


def test_an_approval_that_lacks_stock_says_so_and_promises_no_payment(
    order_desk: OrderDesk,
) -> None:
    order_desk.stock(LAMP, 1)
    order_desk.place((LAMP, 4))
    [sentence] = effects(order_desk, ApproveOrder(order_id=THE))
    assert sentence.startswith("The order will be put on hold: 85123A: Only 1 of 4 available")


def test_what_a_gateway_is_still_asked_for_is_no_promise(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.approve((LAMP, 4))
    while order_desk.follower.go_on():
        pass
    found = order_desk.kernel.commands.effects(CANCEL, Context(actor=SUPERVISOR, channel="test"))
    assert [(each.certain, each.sentence) for each in found] == [
        (True, "The authorisation of payment 1001-1 will be voided."),
        (True, "4 units of 85123A will return to stock."),
    ]


def test_a_command_that_is_refused_promises_nothing(order_desk: OrderDesk) -> None:
    paid(order_desk)
    with pytest.raises(Refused, match="approved"):
        effects(order_desk, ApproveOrder(order_id=THE))
    with pytest.raises(NotAllowed):
        effects(order_desk, CANCEL, Actor("vic", ROLES["viewer"]))


def test_without_fulfilment_nothing_follows(make_desk: MakeDesk) -> None:
    desk = make_desk(fulfilment=False)
    desk.place((LAMP, 4))
    assert effects(desk, ApproveOrder(order_id=THE)) == []


@pytest.mark.parametrize(
    ("difference", "reason", "sentence"),
    [
        (-3, AdjustReason.COUNTED, "3 units of 85123A will leave stock."),
        (-1, AdjustReason.RETURNED, "1 unit of 85123A will leave stock."),
        (1, AdjustReason.FOUND, "1 unit of 85123A will be added to stock."),
        (4, AdjustReason.RETURNED, "4 units of 85123A will return to stock."),
    ],
)
def test_a_count_says_in_which_direction_stock_moves(
    difference: int, reason: AdjustReason, sentence: str
) -> None:
    event = StockAdjusted(sku=LAMP, difference=difference, reason=reason, note="", on_hand=9)
    quantity = quantity_of(event)
    assert quantity
    assert words_for(event) == sentence
    assert sentence == f"{counted(int(quantity.amount), 'unit')} of {LAMP} {quantity.verb}."
