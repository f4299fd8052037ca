"""What comes back of an order is put back into stock, or written off."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    ChangeOrderLines,
    DeliverOrder,
    ReceiveReturn,
    RequestReturn,
)
from cqrs_app.areas.orders.types import ChangedLine, ReceivedLine, ReturnedLine
from cqrs_app.areas.orders.words import ReturnReason
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, Follower, MakeDesk, OrderDesk
from tests.areas.orders.given import line


def request(*lines: tuple[int, int]) -> RequestReturn:
    return RequestReturn(
        order_id=THE,
        lines=tuple(ReturnedLine(line_no=number, quantity=quantity) for number, quantity in lines),
        reason=ReturnReason.UNWANTED,
    )


def receive(return_id: str, *lines: tuple[int, int, int]) -> ReceiveReturn:
    return ReceiveReturn(
        order_id=THE,
        return_id=return_id,
        lines=tuple(
            ReceivedLine(line_no=number, restocked=restocked, written_off=written_off)
            for number, restocked, written_off in lines
        ),
    )


def shipped(desk: OrderDesk) -> None:
    """Four lamps and two cards of ten and two."""
    desk.stock(LAMP, 10)
    desk.stock(CARD, 2)
    desk.approve((LAMP, 4), (CARD, 2))
    desk.settle_all()
    desk.ship()
    desk.settle_all()


def test_restocked_units_are_on_hand_again_and_written_off_ones_are_not(
    order_desk: OrderDesk,
) -> None:
    shipped(order_desk)
    order_desk.do(request((1, 3), (2, 2)), receive("R1", (1, 2, 1), (2, 0, 2)))
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item(CARD).on_hand) == (8, 0)
    assert order_desk.process().goods[LAMP].restock == 0
    assert order_desk.stage() is Stage.SHIPPED


def test_two_returns_at_once_are_both_restocked(order_desk: OrderDesk) -> None:
    shipped(order_desk)
    order_desk.do(request((1, 1)), request((1, 2)), receive("R1"))
    order_desk.follower.go_on()
    order_desk.do(receive("R2"))
    order_desk.settle_all()
    assert order_desk.item().on_hand == 9


def test_a_requested_return_moves_nothing(order_desk: OrderDesk) -> None:
    shipped(order_desk)
    order_desk.do(request((1, 3)))
    order_desk.settle_all()
    assert order_desk.item().on_hand == 6


def test_what_was_delivered_comes_back_all_the_same(order_desk: OrderDesk) -> None:
    shipped(order_desk)
    order_desk.do(DeliverOrder(order_id=THE), request((1, 4)), receive("R1"))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().on_hand) == (Stage.DELIVERED, 10)


def test_what_no_stock_is_kept_of_is_not_restocked(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 10)
    order_desk.approve((LAMP, 1), ("POSTAGE", 1))
    order_desk.settle_all()
    order_desk.ship()
    order_desk.do(request((2, 1)), receive("R1"))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.SHIPPED


def test_an_order_that_fulfilment_never_saw_is_restocked(make_desk: MakeDesk) -> None:
    desk = make_desk()
    fulfilment = desk.follower
    desk.follower = Follower(desk.kernel, desk.actor, desk.policy, enabled=False)
    desk.stock(LAMP, 5)
    desk.place((LAMP, 4), (CARD, 1))
    removed = ChangedLine(line_no=2, quantity=0, unit_price=Decimal("2.50"))
    added = (line(LAMP, 2, "2.50"),)
    desk.do(ChangeOrderLines(order_id=THE, lines=(removed,), added=added))
    desk.do(ApproveOrder(order_id=THE))
    desk.settle_all()
    desk.ship()
    desk.settle_all()
    desk.follower = fulfilment
    desk.do(request((3, 2)), receive("R1"))
    desk.settle_all()
    assert desk.item().on_hand == 7
    assert desk.stage() is Stage.DELIVERED
