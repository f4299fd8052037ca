"""An approved order finds its way: every step, every way it can go wrong, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, delete, select

from cqrs_app.areas.fulfilment.dispatch import NotAnswered
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.queries import FollowerStatus, OrdersWaitingFor
from cqrs_app.areas.fulfilment.tables import fulfilment_outbox, fulfilment_wants
from cqrs_app.areas.fulfilment.tasks import KEY, DispatchCommands
from cqrs_app.areas.fulfilment.types import AfterDeclines, Stage, Step
from cqrs_app.areas.inventory.commands import AddProduct, CommitStock, ReleaseStock
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    RejectOrder,
    ReleaseOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import OrderLine, ShippedLine
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from cqrs_app.areas.payments.commands import AuthorisePayment, RecordPayment, RefundPayment
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Busy, Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store import Change
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.fulfilment.conftest import CARD, HOURS, LAMP, THE, Follower, MakeDesk, OrderDesk


def begin(desk: OrderDesk, stock: int = 10, quantity: int = 4) -> None:
    desk.stock(LAMP, stock)
    desk.approve((LAMP, quantity))
    desk.settle_all()


def test_stock_is_reserved_payment_captured_and_the_goods_may_leave(order_desk: OrderDesk) -> None:
    begin(order_desk)
    assert order_desk.stage() is Stage.TO_SHIP
    assert order_desk.item().reserved == {THE: 4}
    assert order_desk.paid().captured == Decimal(10)
    order_desk.ship()
    order_desk.settle_all()
    assert order_desk.stage() is Stage.SHIPPED
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (6, {})
    order_desk.do(DeliverOrder(order_id=THE))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.DELIVERED
    assert order_desk.follower.due() == []


def test_goods_do_not_leave_before_they_are_reserved_and_paid(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_away")
    begin(desk)
    assert desk.stage() is Stage.PAYING
    with pytest.raises(
        Refused, match=r"not ready to ship: GBP 10.00 is being charged\."
    ) as refused:
        desk.ship()
    assert refused.value.code == "not_released"


def test_goods_may_leave_line_by_line(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 9)
    order_desk.stock(CARD, 9)
    order_desk.approve((LAMP, 2), (CARD, 3), (LAMP, 4))
    order_desk.settle_all()
    assert order_desk.item().reserved == {THE: 6}
    sent = (ShippedLine(line_no=2, quantity=3), ShippedLine(line_no=3, quantity=1))
    order_desk.do(ShipOrder(order_id=THE, lines=sent))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    assert (order_desk.item().on_hand, order_desk.item(CARD).on_hand) == (8, 6)
    order_desk.ship()
    order_desk.settle_all()
    assert (order_desk.item().on_hand, order_desk.item().reserved) == (3, {})
    assert order_desk.stage() is Stage.SHIPPED


def test_charges_and_unknown_products_need_no_stock(order_desk: OrderDesk) -> None:
    order_desk.do(AddProduct(sku="POST", tracked=False))
    order_desk.approve(("POST", 1), ("never heard of", 1))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    assert "Not stocked: never heard of." in order_desk.process().status.sentence


def test_an_order_that_costs_nothing_needs_no_payment(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 1)
    order_desk.approve((LAMP, 1), price="0")
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    assert order_desk.booked == []


def test_out_of_stock_holds_the_order_until_stock_arrives(order_desk: OrderDesk) -> None:
    order_desk.stock(CARD, 5)
    order_desk.stock(LAMP, 1)
    order_desk.approve((CARD, 5), (LAMP, 4))
    order_desk.settle_all()
    order = order_desk.order()
    assert (order_desk.stage(), order.status) == (Stage.OUT_OF_STOCK, OrderStatus.ON_HOLD)
    assert order.hold_reason == "stock_check"
    assert "85123A: Only" in order_desk.process().status.sentence
    assert order_desk.item(CARD).reserved == {THE: 5}
    order_desk.receive(LAMP, 2)
    order_desk.settle_all()
    assert order_desk.stage() is Stage.OUT_OF_STOCK
    order_desk.receive(LAMP, 1)
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.order().status) == (
        Stage.TO_SHIP,
        OrderStatus.APPROVED,
    )


def test_who_waits_longest_is_served_first(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 0)
    for order_id in ("first", "second"):
        order_desk.approve((LAMP, 3), order_id=order_id)
        order_desk.settle_all()
    order_desk.receive(LAMP, 3)
    order_desk.settle_all()
    assert order_desk.item().reserved == {"first": 3}
    assert order_desk.stage("second") is Stage.OUT_OF_STOCK
    order_desk.receive(LAMP, 3)
    order_desk.settle_all()
    assert order_desk.item().reserved == {"first": 3, "second": 3}


def test_a_declined_payment_is_tried_again_and_then_given_up(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_declined")
    begin(desk)
    for hours in (1, 24):
        assert desk.stage() is Stage.PAYMENT_RETRY
        desk.clock.move(hours=hours - 0.1)
        desk.settle_all()
        assert desk.stage() is Stage.PAYMENT_RETRY
        desk.clock.move(hours=0.2)
        desk.settle_all()
    assert desk.stage() is Stage.UNPAID
    assert (desk.order().status, desk.order().hold_reason) == (
        OrderStatus.ON_HOLD,
        "payment_check",
    )
    assert desk.item().reserved == {}
    assert [desk.paid(f"{THE}-{no}").declined for no in (1, 2, 3)] == [True] * 3
    # Somebody has cleared it up: all begins again, with this payment.
    paid = RecordPayment(
        payment_id="bank-1", order_id=THE, amount=Decimal(10), currency="GBP",
        method="bank transfer", reference="17",
    )  # fmt: skip
    desk.do(paid, ReleaseOrder(order_id=THE))
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
    assert desk.item().reserved == {THE: 4}


def test_after_the_last_decline_the_order_is_cancelled_where_the_shop_wants_it(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(method="tok_declined", after=AfterDeclines.CANCEL)
    begin(desk)
    for _ in (1, 24):
        desk.clock.move(hours=25)
        desk.settle_all()
    assert (desk.stage(), desk.order().status) == (Stage.UNDONE, OrderStatus.CANCELLED)
    assert desk.item().reserved == {}


def test_a_declined_capture_lets_the_authorisation_go_and_pays_anew(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 1)
    order_desk.approve((LAMP, 1), price="7.51")
    order_desk.settle_all()
    assert order_desk.stage() is Stage.PAYMENT_RETRY
    order_desk.clock.move(hours=2)
    order_desk.settle_all()
    assert order_desk.paid().voided
    assert order_desk.paid(f"{THE}-2").authorised == Decimal("7.51")


@pytest.mark.parametrize("method", ["tok_fine", "tok_timeout", "tok_twice"])
def test_a_cancelled_order_is_undone(make_desk: MakeDesk, method: str) -> None:
    desk = make_desk(method=method)
    begin(desk)
    for _ in range(5):
        desk.clock.move(minutes=10)
        desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
    desk.cancel()
    for _ in range(5):
        desk.settle_all()
        desk.clock.move(minutes=10)
    assert desk.stage() is Stage.UNDONE
    assert (desk.paid().captured, desk.paid().refunded) == (Decimal(10), Decimal(10))
    assert desk.item().reserved == {}


def test_a_payment_that_comes_in_after_the_end_is_given_back(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 1)
    order_desk.do(
        PlaceOrder(
            order_id=THE, country="Peru", currency="GBP",
            lines=(OrderLine(sku=LAMP, description="", quantity=1, unit_price=Decimal(5)),),
        ),
        RejectOrder(order_id=THE, reason="No more of these."),
    )  # fmt: skip
    order_desk.settle_all()
    assert order_desk.process().status.stage == ""
    order_desk.do(
        AuthorisePayment(
            payment_id="late", order_id=THE, amount=Decimal(5), currency="GBP", method="tok_fine"
        )
    )
    order_desk.settle_all()
    assert order_desk.stage() is Stage.UNDONE
    assert order_desk.paid("late").voided


def test_money_that_was_authorised_at_the_till_is_used(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.do(
        AuthorisePayment(
            payment_id="till", order_id=THE, amount=Decimal(12), currency="GBP", method="tok_fine"
        )
    )
    order_desk.settle_all()
    assert order_desk.stage() is Stage.STUCK
    assert "There is no order 1001. Move the payment" in order_desk.process().status.sentence
    order_desk.place((LAMP, 4))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.AWAITING
    order_desk.do(ApproveOrder(order_id=THE))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    assert order_desk.paid("till").captured == Decimal(10)
    assert order_desk.paid().started_at is None


def test_a_person_s_hold_pauses_it(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.stock(LAMP, 4)
    desk.approve((LAMP, 4))
    desk.do(HoldOrder(order_id=THE, reason=HoldReason.FRAUD_SUSPECTED))
    desk.settle_all()
    assert desk.stage() is Stage.PAUSED
    assert desk.booked == []
    desk.do(ReleaseOrder(order_id=THE))
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP


def test_a_supervisor_skips_what_is_missing_and_what_is_not_paid(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_declined")
    begin(desk, stock=0)
    with pytest.raises(Refused) as refused:
        desk.skip(Step.PAYMENT)
    assert refused.value.code == "not_at_this_step"
    assert [each.order_id for each in desk.ask(OrdersWaitingFor(sku=LAMP))] == [THE]
    desk.skip(Step.STOCK)
    desk.settle_all()
    assert (desk.stage(), desk.order().status) == (Stage.PAYMENT_RETRY, OrderStatus.APPROVED)
    assert desk.ask(OrdersWaitingFor(sku=LAMP)) == ()
    desk.skip(Step.PAYMENT)
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
    desk.ship()
    desk.settle_all()
    assert desk.stage() is Stage.SHIPPED


def test_a_supervisor_tries_again_at_once(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_declined")
    begin(desk)
    desk.retry()
    desk.settle_all()
    assert desk.paid(f"{THE}-2").declined


def test_a_supervisor_cancels_and_everything_is_undone(order_desk: OrderDesk) -> None:
    begin(order_desk)
    order_desk.cancel_fulfilment()
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.order().status) == (
        Stage.UNDONE,
        OrderStatus.CANCELLED,
    )
    with pytest.raises(Refused) as refused:
        order_desk.cancel_fulfilment()
    assert refused.value.code == "nothing_to_do"


def test_what_has_left_is_not_cancelled(order_desk: OrderDesk) -> None:
    begin(order_desk)
    order_desk.ship()
    order_desk.settle_all()
    with pytest.raises(Refused) as refused:
        order_desk.cancel_fulfilment()
    assert refused.value.code == "goods_sent"


def test_every_wait_has_a_deadline(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_away")
    begin(desk)
    assert not desk.process().status.late
    desk.clock.move(hours=25)
    while desk.follower.due():
        desk.follower.go_on()
    assert (desk.stage(), desk.process().status.late) == (Stage.PAYING, True)


def test_history_is_let_in_and_nothing_is_done_about_it(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    place_in_history(order_desk)
    order_desk.settle_all()
    assert order_desk.process().begun is False
    assert order_desk.item().reserved == {}


def test_what_was_approved_in_history_is_held_up_at_no_moment(order_desk: OrderDesk) -> None:
    """Fulfilment is told nothing yet of either order: only of the one approved now it will be."""
    place_in_history(order_desk)
    order_desk.do(ShipOrder(order_id=THE))
    line = OrderLine(sku=LAMP, description="", quantity=1, unit_price=Decimal(1))
    for command in (
        PlaceOrder(order_id="now", country="Peru", currency="GBP", lines=(line,)),
        ApproveOrder(order_id="now"),
    ):
        order_desk.do(command)
    with pytest.raises(Refused, match="about to begin"):
        order_desk.do(ShipOrder(order_id="now"))


def place_in_history(desk: OrderDesk) -> None:
    """And approve it there."""
    actor = system_actor("importer", HISTORY, "orders.place", "orders.approve")
    at = datetime(2010, 12, 1, 12, tzinfo=UTC)
    line = OrderLine(sku=LAMP, description="", quantity=1, unit_price=Decimal(1))
    for command in (
        PlaceOrder(order_id=THE, country="Peru", currency="GBP", lines=(line,)),
        ApproveOrder(order_id=THE),
    ):
        context = Context(actor=actor, channel="import", occurred_at=at)
        desk.kernel.commands.execute(command, context)


def record(payment_id: str, amount: str, order_id: str = THE) -> RecordPayment:
    return RecordPayment(
        payment_id=payment_id, order_id=order_id, amount=Decimal(amount), currency="GBP",
        method="bank transfer", reference=payment_id,
    )  # fmt: skip


def authorise(payment_id: str, amount: str) -> AuthorisePayment:
    return AuthorisePayment(
        payment_id=payment_id, order_id=THE, amount=Decimal(amount), currency="GBP",
        method="tok_fine",
    )  # fmt: skip


def refund(payment_id: str, amount: str) -> RefundPayment:
    return RefundPayment(payment_id=payment_id, amount=Decimal(amount), reason="Scratched.")


def test_what_cannot_be_asked_of_an_area_needs_a_decision(make_desk: MakeDesk) -> None:
    """A method of payment that is no token but a card's number."""
    desk = make_desk(method="4242424242424242")
    begin(desk)
    assert desk.stage() is Stage.STUCK
    assert "AuthorisePayment has values that cannot be used" in desk.process().status.sentence
    desk.cancel_fulfilment()
    desk.settle_all()
    assert desk.stage() is Stage.UNDONE


def test_money_given_back_by_a_person_is_not_asked_for_again(order_desk: OrderDesk) -> None:
    begin(order_desk)
    order_desk.do(refund(f"{THE}-1", "2.50"))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    order_desk.ship()
    order_desk.do(DeliverOrder(order_id=THE))
    order_desk.settle_all()
    order_desk.do(refund(f"{THE}-1", "7.50"))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.DELIVERED
    assert order_desk.paid(f"{THE}-2").started_at is None


def test_a_payment_of_an_order_that_nobody_sees_to_stops_nothing(order_desk: OrderDesk) -> None:
    place_in_history(order_desk)
    order_desk.do(record("bank-1", "1"))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.AWAITING
    order_desk.do(ShipOrder(order_id=THE))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.SHIPPED
    order_desk.do(record("bank-2", "1", order_id="mistyped"))
    order_desk.do(refund("bank-2", "1"))
    order_desk.settle_all()
    assert order_desk.follower.due() == []


def test_what_was_authorised_beyond_the_need_is_let_go(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 4)
    order_desk.do(authorise("till", "12"))
    order_desk.approve((LAMP, 4))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
    assert (order_desk.paid("till").captured, order_desk.paid("till").voided) == (Decimal(10), True)


def test_a_charge_that_two_payments_have_made_too_much_needs_no_decision(
    make_desk: MakeDesk,
) -> None:
    """They came before the charge was sent, and the follower has not heard of them."""
    desk = make_desk(unmatched_payments="refuse")
    desk.stock(LAMP, 4)
    desk.approve((LAMP, 4))
    desk.follower.go_on()
    desk.do(record("bank-1", "6"), record("bank-2", "4"))
    DispatchCommands(desk.actor, enabled=True).work(desk.kernel, KEY)
    process = desk.process()
    assert (process.status.stage, process.received, dict(process.open)) == (Stage.TO_SHIP, 10, {})


def test_too_much_money_is_told(make_desk: MakeDesk) -> None:
    desk = make_desk(method="")
    begin(desk)
    desk.do(record("bank-1", "10"), record("bank-2", "4"))
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
    assert "GBP 4.00 overpaid." in desk.process().status.sentence


@pytest.mark.parametrize("shipped", [True, False])
def test_a_cancellation_that_comes_too_late_leads_nowhere_else(
    order_desk: OrderDesk, shipped: bool
) -> None:
    """It was accepted before the follower had processed the order's events."""
    begin(order_desk)
    (order_desk.ship if shipped else order_desk.cancel)()
    order_desk.cancel_fulfilment()
    order_desk.settle_all()
    assert order_desk.stage() is (Stage.SHIPPED if shipped else Stage.UNDONE)


@pytest.mark.parametrize("by_hand", [ReleaseStock, CommitStock])
def test_stock_moved_by_hand_stops_no_order(
    order_desk: OrderDesk, by_hand: type[ReleaseStock | CommitStock]
) -> None:
    begin(order_desk)
    order_desk.do(by_hand(sku=LAMP, order_id=THE))
    order_desk.ship()
    order_desk.settle_all()
    assert order_desk.stage() is Stage.SHIPPED


def test_after_the_last_decline_payment_is_what_can_be_skipped(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_declined")
    begin(desk)
    for _ in HOURS:
        desk.clock.move(hours=25)
        desk.settle_all()
    desk.skip(Step.PAYMENT)
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
    assert desk.process().status.sentence == "Ready to ship. Skipped: payment."
    assert desk.item().reserved == {THE: 4}


def test_missing_stock_is_asked_for_every_day_and_grows_late(order_desk: OrderDesk) -> None:
    begin(order_desk, stock=1)
    for _ in range(3):
        order_desk.clock.move(hours=25)
        order_desk.settle_all()
        assert (order_desk.stage(), order_desk.process().status.late) == (Stage.OUT_OF_STOCK, True)
    # Nothing reported these. They are found the next day.
    with order_desk.kernel.engines.write.begin() as connection:
        connection.execute(delete(fulfilment_wants))
    order_desk.receive(LAMP, 3)
    order_desk.settle_all()
    assert order_desk.stage() is Stage.OUT_OF_STOCK
    order_desk.clock.move(hours=25)
    order_desk.settle_all()
    assert (order_desk.stage(), order_desk.process().status.late) == (Stage.TO_SHIP, False)


def test_switched_off_it_does_nothing_and_stops_nobody(make_desk: MakeDesk) -> None:
    desk = make_desk(method="tok_declined", fulfilment=False)
    begin(desk)
    off = Follower(desk.kernel, desk.actor, desk.policy, enabled=False)
    desk.clock.move(hours=25)
    assert off.due() == []
    desk.ship()
    assert off.due() == ["fulfilment_process"]
    assert (off.go_on(), off.due()) == (False, [])


def test_hundreds_of_products_are_one_order_like_others(order_desk: OrderDesk) -> None:
    order_desk.approve(*((f"A{number}", 1) for number in range(300)))
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP


@pytest.mark.parametrize("kind", ["postgresql"])
def test_what_is_decided_while_the_process_is_written_is_not_lost(order_desk: OrderDesk) -> None:
    """SQLite has one writer at a time."""
    begin(order_desk, stock=1)
    append, once = order_desk.kernel.store.append, [True]

    def decided_before(connection: Connection, changes: Sequence[Change]) -> None:
        if once:
            once.pop()
            order_desk.skip(Step.STOCK)
        append(connection, changes)

    order_desk.kernel.store.append = decided_before  # type: ignore[method-assign]
    order_desk.clock.move(hours=25)
    order_desk.settle_all()
    assert once == []
    assert order_desk.process().skipped == (Step.STOCK,)
    assert order_desk.stage() is Stage.TO_SHIP


def test_its_own_events_say_where_the_stage_changed_and_no_more(order_desk: OrderDesk) -> None:
    begin(order_desk)
    order_desk.ship()
    order_desk.settle_all()
    decode = order_desk.kernel.registry.codec.decode
    own = [decode(each).event for each in order_desk.kernel.store.events_of(f"fulfilment-{THE}")]
    assert [each.stage for each in own if isinstance(each, FulfilmentMoved)] == [
        Stage.RESERVING,
        Stage.PAYING,
        Stage.TO_SHIP,
        Stage.SHIPPED,
    ]
    assert len(own) == 4
    with order_desk.kernel.engines.write.connect() as connection:
        assert connection.execute(select(fulfilment_outbox)).all() == []


def test_a_command_without_an_outcome_is_kept_and_holds_up_nobody_else(
    order_desk: OrderDesk,
) -> None:
    order_desk.stock(LAMP, 10)
    order_desk.approve((LAMP, 1), order_id="first")
    order_desk.approve((LAMP, 2), order_id="second")
    bus = order_desk.kernel.commands
    carry_out = bus.execute_batch

    def busy_for_the_first(items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        return [Outcome(None, Busy("tasks")), *carry_out(items[1:])]

    bus.execute_batch = busy_for_the_first  # type: ignore[method-assign]
    for _ in range(4):
        with pytest.raises(NotAnswered):
            order_desk.follower.go_on()
    assert order_desk.item().reserved == {"second": 2}
    assert (order_desk.stage("first"), order_desk.stage("second")) == (
        Stage.RESERVING,
        Stage.PAYING,
    )
    status = order_desk.ask(FollowerStatus())
    assert (status.position, status.behind) == (order_desk.kernel.store.head(), 1)
    assert order_desk.clock() - timedelta(minutes=5) < status.waiting_since < order_desk.clock()
    bus.execute_batch = carry_out  # type: ignore[method-assign]
    order_desk.settle_all()
    assert order_desk.item().reserved == {"first": 1, "second": 2}


def test_who_takes_in_the_same_outcomes_later_loses_no_command(order_desk: OrderDesk) -> None:
    """SQLite gives the number of an outbox row that is gone to the next one."""
    order_desk.stock(LAMP, 10)
    order_desk.approve((LAMP, 1))
    bus = order_desk.kernel.commands
    carry_out = bus.execute_batch

    def overtaken(items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        outcomes = carry_out(items)
        bus.execute_batch = carry_out  # type: ignore[method-assign]
        order_desk.follower.go_on()
        return outcomes

    bus.execute_batch = overtaken  # type: ignore[method-assign]
    order_desk.follower.go_on()
    order_desk.settle_all()
    assert order_desk.stage() is Stage.TO_SHIP
