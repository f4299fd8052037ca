"""Stock and money follow the lines of an order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    ChangeOrderLines,
    HoldOrder,
    PlaceOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import ChangedLine, OrderLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.areas.payments.gateway_commands import RecordDecline
from cqrs_app.kernel.errors import Refused
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, MakeDesk, OrderDesk
from tests.areas.orders.given import line
from tests.services.statements import statements

PRICE = Decimal("2.50")


def change(
    *lines: tuple[int, int], added: tuple[OrderLine, ...] = (), price: Decimal = PRICE
) -> ChangeOrderLines:
    return ChangeOrderLines(
        order_id=THE,
        lines=tuple(
            ChangedLine(line_no=number, quantity=quantity, unit_price=price)
            for number, quantity in lines
        ),
        added=added,
    )


def four_lamps(desk: OrderDesk) -> None:
    """Approved, reserved and paid: 10.00. There are ten lamps and two cards."""
    desk.stock(LAMP, 10)
    desk.stock(CARD, 2)
    desk.approve((LAMP, 4))
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP


def kept(desk: OrderDesk) -> Decimal:
    paid = [desk.paid(each) for each in desk.process().payments]
    return sum((each.captured - each.refunded for each in paid), Decimal(0))


def test_what_is_added_is_reserved_and_the_difference_charged(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 6), added=(line(CARD, 1, "2.50"),)))
    order_desk.settle_all()
    assert order_desk.item().reserved == {THE: 6}
    assert order_desk.item(CARD).reserved == {THE: 1}
    assert (order_desk.stage(), kept(order_desk)) == (Stage.TO_SHIP, Decimal("17.50"))


def test_what_is_removed_is_released_and_the_difference_refunded(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 0), added=(line(CARD, 1, "2.50"),)))
    order_desk.settle_all()
    assert (order_desk.item().reserved, order_desk.item(CARD).reserved) == ({}, {THE: 1})
    assert (order_desk.stage(), kept(order_desk)) == (Stage.TO_SHIP, PRICE)
    order_desk.ship()
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item(CARD).on_hand) == (Stage.SHIPPED, 1)


def test_fewer_of_a_line_keeps_the_rest_reserved(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 1)))
    order_desk.settle_all()
    assert order_desk.item().reserved == {THE: 1}
    assert (order_desk.stage(), kept(order_desk)) == (Stage.TO_SHIP, PRICE)


def test_a_lower_price_is_refunded_and_a_higher_one_charged_again(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 4), price=Decimal("1.50")))
    order_desk.settle_all()
    assert kept(order_desk) == 6
    order_desk.do(change((1, 4), price=Decimal(2)))
    order_desk.settle_all()
    assert (order_desk.stage(), kept(order_desk)) == (Stage.TO_SHIP, 8)


def test_a_price_that_rises_again_while_the_refund_is_under_way_is_charged_again(
    order_desk: OrderDesk,
) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 2)))
    while order_desk.follower.go_on():
        pass
    assert order_desk.paid().requests[-1].is_open
    order_desk.do(change((1, 4)))
    order_desk.settle_all()
    assert (order_desk.stage(), kept(order_desk)) == (Stage.TO_SHIP, 10)
    assert order_desk.item().reserved == {THE: 4}


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_refund_declined_after_the_price_rose_again_needs_a_decision_only_if_cancelled(
    order_desk: OrderDesk, cancelled: bool
) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 2)))
    while order_desk.follower.go_on():
        pass
    order_desk.do(change((1, 4)))
    if cancelled:
        order_desk.cancel()
    decline = RecordDecline(payment_id=f"{THE}-1", request_no=3, code="no", sentence="Closed.")
    order_desk.do(decline)
    order_desk.settle_all()
    assert kept(order_desk) == 10
    assert len(order_desk.paid().requests) == 3
    status = order_desk.process().status
    assert (status.stage, "Closed." in status.sentence) == (
        (Stage.STUCK, True) if cancelled else (Stage.TO_SHIP, False)
    )


def test_missing_units_hold_the_order_until_they_arrive_or_are_no_longer_wanted(
    order_desk: OrderDesk,
) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 12)))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.OUT_OF_STOCK
    assert order_desk.item().reserved == {THE: 4}
    assert "4 stay reserved" in order_desk.process().status.sentence
    order_desk.receive(LAMP, 2)
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().reserved) == (Stage.TO_SHIP, {THE: 12})
    order_desk.do(change((1, 30)))
    order_desk.settle_all()
    order_desk.do(change((1, 3)))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().reserved) == (Stage.TO_SHIP, {THE: 3})
    assert kept(order_desk) == Decimal("7.50")


def test_what_was_changed_before_the_approval_is_what_is_fulfilled(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 10)
    order_desk.stock(CARD, 2)
    order_desk.place((LAMP, 4), (CARD, 1))
    order_desk.settle_all()
    order_desk.do(change((1, 6), (2, 0), added=(line(LAMP, 1, "2.50"),)))
    order_desk.do(ApproveOrder(order_id=THE))
    order_desk.settle_all()
    assert (order_desk.item().reserved, order_desk.item(CARD).reserved) == ({THE: 7}, {})
    assert kept(order_desk) == Decimal("17.50")
    order_desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=3, quantity=1),)))
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (9, {THE: 6})


def test_nobody_ships_what_was_added_before_it_is_reserved(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 6)))
    with pytest.raises(Refused, match="Its lines have just changed") as refused:
        order_desk.do(ShipOrder(order_id=THE))
    assert refused.value.code == "not_released"


def test_the_rest_of_an_order_that_shipped_in_part_is_changed(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),)))
    order_desk.do(change((1, 3)))
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (9, {THE: 2})
    assert kept(order_desk) == Decimal("7.50")
    order_desk.do(change((1, 5)))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().reserved) == (Stage.TO_SHIP, {THE: 4})
    order_desk.ship()
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (5, {})
    assert (order_desk.stage(), kept(order_desk)) == (Stage.SHIPPED, Decimal("12.50"))


def test_on_hold_less_is_released_at_once_and_more_is_reserved_after(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(HoldOrder(order_id=THE, reason=HoldReason.OTHER), change((1, 2)))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().reserved) == (Stage.PAUSED, {THE: 2})
    order_desk.do(change((1, 5)))
    order_desk.settle_all()
    assert order_desk.item().reserved == {THE: 2}


def test_an_order_that_is_cancelled_after_a_change_is_undone(order_desk: OrderDesk) -> None:
    four_lamps(order_desk)
    order_desk.do(change((1, 2)))
    order_desk.settle_all()
    order_desk.do(change((1, 7)), CancelOrder(order_id=THE, reason=CancelReason.OTHER))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.item().reserved) == (Stage.UNDONE, {})
    assert kept(order_desk) == 0


def test_an_order_paid_by_hand_waits_for_the_difference(make_desk: MakeDesk) -> None:
    desk = make_desk(method="")
    desk.stock(LAMP, 10)
    order = PlaceOrder(order_id=THE, country="Peru", currency="GBP", lines=(line(LAMP, 4, "2.50"),))
    desk.do(order, ApproveOrder(order_id=THE))
    desk.settle_all()
    desk.do(change((1, 6)))
    desk.settle_all()
    assert desk.process().status.sentence == "GBP 15.00 outstanding."


def test_the_lines_of_many_approved_orders_are_read_at_once(order_desk: OrderDesk) -> None:
    read = []
    for numbers in (range(2), range(2, 9)):
        for number in numbers:
            order_id = f"N{number}"
            order_desk.do(
                PlaceOrder(
                    order_id=order_id, country="France", currency="EUR", lines=(line(LAMP, 1),)
                ),
                AddOrderNote(order_id=order_id, note="By telephone."),
                replace(change((1, 2)), order_id=order_id),
                ApproveOrder(order_id=order_id),
            )
        with statements() as sent:
            order_desk.follower.go_on()
        read.append(sum("FROM events" in str(each) for each in sent))
        wanted = [order_desk.process(f"N{number}").goods[LAMP].wanted for number in numbers]
        assert wanted == [2] * len(numbers)
        order_desk.settle_all()
    assert read[0] == read[1]
