"""An order that shipped in part is closed: stock released, the difference refunded, delivered."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.fulfilment.types import Stage, Step
from cqrs_app.areas.orders.commands import (
    CancelRemainingItems,
    DeliverOrder,
    HoldOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus
from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.areas.payments.gateway_commands import RecordDecline, RecordRefund
from cqrs_app.areas.payments.queries.ledger import LedgerBalance
from tests.areas.fulfilment.conftest import CARD, LAMP, THE, MakeDesk, OrderDesk
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import page, send

CANCEL_REST = CancelRemainingItems(order_id=THE, reason=CancelReason.OUT_OF_STOCK)


def ship_in_part(desk: OrderDesk) -> None:
    """Three of four lamps at 2.50, and none of two cards: 7.50 of 15.00."""
    desk.stock(LAMP, 4)
    desk.stock(CARD, 2)
    desk.approve((LAMP, 4), (CARD, 2))
    desk.settle_all()
    desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=3),)))
    desk.settle_all()


def test_what_remains_is_released_and_refunded_and_the_order_delivered(
    order_desk: OrderDesk,
) -> None:
    ship_in_part(order_desk)
    assert order_desk.item().reserved == {THE: 1}
    order_desk.do(CANCEL_REST)
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (1, {})
    assert (order_desk.item(CARD).on_hand, order_desk.item(CARD).reserved) == (2, {})
    assert (order_desk.paid().captured, order_desk.paid().refunded) == (15, Decimal("7.50"))
    assert order_desk.stage() is Stage.SHIPPED
    assert order_desk.process().status.sentence == "Everything has shipped."
    order_desk.do(DeliverOrder(order_id=THE))
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.order().status) == (
        Stage.DELIVERED,
        OrderStatus.DELIVERED,
    )
    order_desk.catch_up()
    [balance] = order_desk.ask(LedgerBalance())
    held = {each.account: each.amount for each in balance.accounts}
    assert held["provider"] == Decimal("7.50")


def test_an_order_on_hold_after_a_part_is_closed_the_same(order_desk: OrderDesk) -> None:
    ship_in_part(order_desk)
    order_desk.do(HoldOrder(order_id=THE, reason=HoldReason.OTHER), CANCEL_REST)
    order_desk.settle_all()
    assert order_desk.paid().refunded == Decimal("7.50")
    assert order_desk.stage() is Stage.SHIPPED


def test_the_page_says_that_the_difference_is_being_refunded(make_desk: MakeDesk) -> None:
    desk = make_desk()
    ship_in_part(desk)
    desk.catch_up()
    supervisor = client_in(desk.app, "supervisor")
    link = page(supervisor, f"/orders/{THE}").find(id="do-CancelRemainingItems")
    assert link is not None
    answer = send(supervisor, str(link["href"]), reason="out_of_stock")
    assert answer.status_code == 303
    desk.follower.go_on()
    desk.catch_up()
    shown = " ".join(page(supervisor, f"/orders/{THE}").get_text(" ").split())
    assert "GBP 7.50 is being refunded: the order costs less now." in shown
    assert "Remaining items cancelled \N{MINUS SIGN}3" in shown
    assert page(supervisor, f"/orders/{THE}").find(id="do-DeliverOrder") is not None


def test_a_refund_that_is_declined_needs_a_decision_and_can_be_skipped(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(method="tok_away")
    ship_in_part_by_hand(desk)
    desk.do(CANCEL_REST)
    desk.settle_all()
    desk.do(RecordDecline(payment_id="bank-1", request_no=1, code="no", sentence="Closed."))
    desk.settle_all()
    assert (desk.stage(), desk.process().status.sentence) == (Stage.STUCK, "Closed.")
    desk.skip(Step.UNDOING)
    desk.settle_all()
    assert desk.stage() is Stage.SHIPPED
    assert "GBP 7.50 overpaid" in desk.process().status.sentence


def test_what_a_person_gave_back_is_not_given_back_again(make_desk: MakeDesk) -> None:
    desk = make_desk(method="")
    ship_in_part_by_hand(desk)
    desk.do(
        RefundPayment(payment_id="bank-1", amount=Decimal(5), reason="Two are missing."),
        RecordRefund(payment_id="bank-1", request_no=1, reference="T1"),
        CANCEL_REST,
    )
    desk.settle_all()
    asked = [request.amount for request in desk.paid("bank-1").requests]
    assert asked == [Decimal(5), Decimal("2.50")]


def test_items_that_were_never_paid_are_not_refunded_but_no_longer_asked_for(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(method="")
    desk.stock(LAMP, 4)
    desk.approve((LAMP, 4), (CARD, 2))
    desk.settle_all()
    desk.skip(Step.PAYMENT)
    desk.settle_all()
    desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=3),)), CANCEL_REST)
    desk.settle_all()
    assert desk.process().owed == Decimal("7.50")
    assert desk.process().payments == {}
    assert desk.stage() is Stage.SHIPPED


def ship_in_part_by_hand(desk: OrderDesk) -> None:
    """As `ship_in_part`, paid by bank transfer before anybody is asked for money."""
    desk.stock(LAMP, 4)
    desk.stock(CARD, 2)
    desk.approve((LAMP, 4), (CARD, 2))
    desk.do(
        RecordPayment(
            payment_id="bank-1",
            order_id=THE,
            amount=Decimal(15),
            currency="GBP",
            method="bank transfer",
            reference="17",
        )
    )
    desk.settle_all()
    desk.do(ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=3),)))
    desk.settle_all()
