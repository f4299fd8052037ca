"""What is promised before an action is what then happens: in every state that the world of
`world.py` can reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cqrs_app.areas.fulfilment.decide import decide
from cqrs_app.areas.fulfilment.dispatch import COMMANDS
from cqrs_app.areas.fulfilment.inputs import OrderChanged
from cqrs_app.areas.fulfilment.plan import Plan, Tried, plan
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, OutgoingCommand, Paid
from cqrs_app.areas.fulfilment.types import AfterDeclines, Policy
from cqrs_app.areas.inventory.events import StockCommitted, StockReleased, StockReserved
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.areas.payments.events import PaymentRefundRequested
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Event, parse
from tests.areas.fulfilment import world as worlds
from tests.areas.fulfilment.test_every_state_ends import STARTS
from tests.areas.fulfilment.world import ANSWERS, THE, UNITS, World, begin, do, explored, followers

MOST_STATES = 400
ACTIONS: tuple[Command, ...] = (
    orders.RejectOrder(order_id=THE, reason="No."),
    orders.HoldOrder(order_id=THE, reason=HoldReason.OTHER),
    orders.ReleaseOrder(order_id=THE),
    orders.ApproveOrder(order_id=THE),
    orders.ShipOrder(order_id=THE),
    orders.ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),)),
    orders.CancelOrder(order_id=THE, reason=CancelReason.OTHER),
    orders.CancelRemainingItems(order_id=THE, reason=CancelReason.OTHER),
)


@dataclass
class Effects:
    """Refunds by payment, and how many units more are reserved and on hand."""

    refunds: Counter[str] = field(default_factory=Counter)
    reserved: int = 0
    on_hand: int = 0

    def add(self, event: Event) -> None:
        match event:
            case PaymentRefundRequested():
                self.refunds[event.payment_id] += event.amount  # type: ignore[assignment]
            case StockReserved():
                self.reserved += event.quantity
            case StockReleased():
                self.reserved -= event.quantity
            case StockCommitted():
                self.reserved -= event.quantity
                self.on_hand -= event.quantity


def planned(world: World, command: Command) -> Plan:
    after, events = worlds.carried_out(world, command)

    def rehearse(sent: Sequence[OutgoingCommand]) -> list[Tried]:
        ahead, outcomes = after, []
        for each in sent:
            further = parse(COMMANDS[each.name], each.arguments, from_text=True)
            try:
                ahead, followed = worlds.carried_out(ahead, further)
                outcomes.append(Tried(followed))
            except Refused as refused:
                outcomes.append(Tried(code=refused.code, sentence=refused.sentence))
        return outcomes

    return plan(world.process, worlds.inputs_of(world, command, events, "ann"), rehearse)


def promised(world: World, command: Command) -> Effects:
    effects = Effects()
    for _, tried in planned(world, command).steps:
        for event in tried.events:
            effects.add(event)
    return effects


def open_requests(world: World, *asked: Asked) -> Iterator[tuple[str, int, Decimal]]:
    for payment_id, payment in world.payments.items():
        for number, request in enumerate(payment.requests, start=1):
            if request.is_open and request.asked in asked:
                yield payment_id, number, request.amount


def refunds_answered(world: World) -> World:
    """The gateway carries out every refund, also those that follow; it is asked for nothing else
    meanwhile."""
    while found := next(open_requests(world, Asked.REFUND), None):
        payment_id, number, _ = found
        reference = f"{payment_id}-{number}"
        answer = ANSWERS[Asked.REFUND](
            payment_id=payment_id, request_no=number, reference=reference
        )
        world = do(world, answer)
    return world


def happened(world: World, command: Command) -> Effects:
    after = refunds_answered(do(world, command))
    effects = Effects(
        reserved=after.item.reserved.get(THE, 0) - world.item.reserved.get(THE, 0),
        on_hand=after.item.on_hand - world.item.on_hand,
    )
    for payment_id, payment in after.payments.items():
        before = world.payments.get(payment_id)
        effects.refunds[payment_id] = payment.refunded - (before.refunded if before else 0)  # type: ignore[assignment]
    for payment_id, _, amount in open_requests(world, Asked.REFUND):
        effects.refunds[payment_id] -= amount  # type: ignore[assignment]
    return effects


def kept(world: World) -> Iterator[tuple[Command, Effects]]:
    """Each action that is allowed now, and what it promised, once that is seen to have happened."""
    for command in ACTIONS:
        try:
            was_promised = promised(world, command)
        except Refused:
            continue
        what_happened = happened(world, command)
        assert +was_promised.refunds == +what_happened.refunds, (str(world), command)
        assert was_promised.reserved == what_happened.reserved, (str(world), command)
        assert was_promised.on_hand == what_happened.on_hand, (str(world), command)
        yield command, was_promised


@pytest.mark.parametrize("after", AfterDeclines)
@pytest.mark.parametrize("on_hand", [0, UNITS - 1, UNITS])
def test_what_is_promised_is_what_happens(after: AfterDeclines, on_hand: int) -> None:
    policy = Policy(method="tok_fine", retry_after=(3600,), after_declines=after)
    worlds = explored(begin(policy, on_hand), MOST_STATES)
    found = [each for world in worlds for each in kept(world)]
    # The states are not all of one kind.
    assert sum(isinstance(command, orders.CancelOrder) for command, _ in found) > 20
    assert any(+effects.refunds for _, effects in found)
    assert any(effects.reserved < 0 for _, effects in found) or on_hand < UNITS


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(list(STARTS)), choices=st.lists(st.integers(0, 1000), max_size=30))
def test_what_is_promised_late_in_an_order_is_what_happens(name: str, choices: list[int]) -> None:
    world = begin(*STARTS[name])
    for choice in choices:
        further = list(followers(world))
        world = further[choice % len(further)]
    assert len(list(kept(world))) <= len(ACTIONS)


def test_a_refund_that_takes_more_than_one_payment_is_promised_in_full() -> None:
    paid = {
        "A": Paid("EUR", authorised=Decimal(4), captured=Decimal(4)),
        "B": Paid("EUR", authorised=Decimal(6), captured=Decimal(6)),
    }
    process = FulfilmentProcess(
        order_id=THE, begun=True, currency="EUR", total=Decimal(10), payments=paid, shipped=True
    )
    cancelled = OrderChanged(type="RemainingItemsCancelled", by="ann", amount=Decimal(-7))

    def rehearse(sent: Sequence[OutgoingCommand]) -> list[Tried]:
        return [Tried((refund_requested(each),)) for each in sent]

    steps = plan(process, [cancelled], rehearse).steps
    refunds = [(each.subject, Decimal(each.arguments["amount"])) for each, _ in steps]
    assert refunds == [("A", Decimal(4)), ("B", Decimal(3))]


def test_the_difference_is_refunded_from_money_of_the_orders_currency() -> None:
    paid = {
        "F": Paid("USD", authorised=Decimal(20), captured=Decimal(20)),
        "A": Paid("EUR", authorised=Decimal(4), captured=Decimal(4)),
        "B": Paid("EUR", authorised=Decimal(6), captured=Decimal(6)),
    }
    process = FulfilmentProcess(
        order_id=THE,
        begun=True,
        currency="EUR",
        total=Decimal(3),
        refundable=Decimal(7),
        payments=paid,
        shipped=True,
    )
    [command] = decide(process).commands
    assert (command.key, command.arguments["amount"]) == ("RefundPayment A", "4")
    without = {"F": paid["F"], "B": replace(paid["B"], captured=Decimal(6), refunded=Decimal(3))}
    assert decide(replace(process, payments=without)).commands == ()


def refund_requested(command: OutgoingCommand) -> Event:
    amount = Decimal(command.arguments["amount"])
    values: dict[str, Any] = {"payment_id": command.subject, "amount": amount, "currency": "EUR"}
    rest = {"order_id": THE, "request_no": 1, "gateway": "sandbox", "reason": ""}
    return PaymentRefundRequested(**values, **rest)
