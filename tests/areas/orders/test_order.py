"""The rules of an order."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import msgspec
import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import ChangedLine, ReturnedLine, ShippedLine, ShippingAddress
from cqrs_app.areas.orders.words import CancelReason, HoldReason, ReturnReason
from cqrs_app.kernel.commands.aggregate import restore, snapshot_of
from cqrs_app.kernel.messages.messages import Command, Event
from tests.areas.orders.given import (
    ALL_SHIPPED,
    APPROVED,
    CANCELLED,
    DELIVERED,
    HELD,
    ON,
    PART_SHIPPED,
    PLACED,
    REJECTED,
    REST_CANCELLED,
    given,
    line,
    order,
    place,
    received,
    released,
    requested,
    shipped,
)

THE = "536365"
HOME = ShippingAddress(line1="1 High Street", city="Leeds", country="United Kingdom")
APPROVE = do.ApproveOrder(order_id=THE)
REJECT = do.RejectOrder(order_id=THE, reason="no")
HOLD = do.HoldOrder(order_id=THE, reason=HoldReason.PAYMENT_CHECK)
RELEASE = do.ReleaseOrder(order_id=THE)
CHANGE_ADDRESS = do.ChangeShippingAddress(order_id=THE, address=HOME)
ASSIGN = do.AssignOrderToCustomer(order_id=THE, customer_id="12431")
TAG = do.AddOrderTag(order_id=THE, tag="gift")
CHANGE_BILLING = do.ChangeBillingAddress(order_id=THE)
NOTE = do.AddOrderNote(order_id=THE, note="Rang them.")
SHIP = do.ShipOrder(order_id=THE, carrier="DHL", tracking="JD014")
DELIVER = do.DeliverOrder(order_id=THE)
CANCEL_REST = do.CancelRemainingItems(order_id=THE, reason=CancelReason.OUT_OF_STOCK)
MORE_LAMPS = ChangedLine(line_no=1, quantity=9, unit_price=Decimal("2.55"))
CHANGE_LINES = do.ChangeOrderLines(order_id=THE, lines=(MORE_LAMPS,))
RETURN = do.RequestReturn(
    order_id=THE,
    lines=(ReturnedLine(line_no=1, quantity=1),),
    reason=ReturnReason.DAMAGED,
)
RECEIVE = do.ReceiveReturn(order_id=THE, return_id="R1")
CANCEL_RETURN = do.CancelReturn(order_id=THE, return_id="R1")
CANCEL = do.CancelOrder(order_id=THE, reason=CancelReason.DUPLICATE)

STATES: dict[str, tuple[Event, ...]] = {
    "placed": (PLACED,),
    "approved": (PLACED, APPROVED),
    "held": (PLACED, HELD),
    "held_after_part": (PLACED, APPROVED, PART_SHIPPED, HELD),
    "part_shipped": (PLACED, APPROVED, PART_SHIPPED),
    "rest_cancelled": (PLACED, APPROVED, PART_SHIPPED, REST_CANCELLED),
    "shipped": (PLACED, APPROVED, ALL_SHIPPED),
    "delivered": (PLACED, APPROVED, ALL_SHIPPED, DELIVERED),
    "return_open": (PLACED, APPROVED, ALL_SHIPPED, requested("R1", (1, 2))),
    "returned": (
        *(PLACED, APPROVED, ALL_SHIPPED, requested("R1", (1, 6), (2, 2))),
        received("R1", (1, 6, 0), (2, 1, 1), amount="22.08", complete=True),
    ),
    "cancelled": (PLACED, CANCELLED),
    "rejected": (PLACED, REJECTED),
}
ALLOWED: dict[Command, set[str]] = {
    APPROVE: {"placed"},
    REJECT: {"placed"},
    HOLD: {"placed", "approved", "part_shipped"},
    RELEASE: {"held", "held_after_part"},
    CHANGE_ADDRESS: {"placed", "approved", "held", "held_after_part", "part_shipped"},
    ASSIGN: set(STATES) - {"cancelled", "rejected"},
    TAG: set(STATES),
    CHANGE_BILLING: set(STATES) - {"cancelled", "rejected"},
    NOTE: set(STATES),
    SHIP: {"approved", "part_shipped"},
    DELIVER: {"shipped", "rest_cancelled", "return_open", "returned"},
    CANCEL_REST: {"part_shipped", "held_after_part"},
    CANCEL: {"placed", "approved", "held"},
    CHANGE_LINES: {"placed", "approved", "held", "held_after_part", "part_shipped"},
    RETURN: {
        "held_after_part",
        "part_shipped",
        "rest_cancelled",
        "shipped",
        "delivered",
        "return_open",
    },
    RECEIVE: {"return_open"},
    CANCEL_RETURN: {"return_open"},
}


@pytest.mark.parametrize(
    ("command", "state"),
    [pytest.param(c, s, id=f"{type(c).__name__}-{s}") for c, s in product(ALLOWED, STATES)],
)
def test_a_task_is_accepted_in_exactly_the_states_that_allow_it(
    command: Command, state: str
) -> None:
    outcome = given(*STATES[state]).when(command)
    assert (outcome.refusal is None) == (state in ALLOWED[command])
    if outcome.refusal:
        assert outcome.refusal.sentence.startswith("Order 536365 ")
        assert ON.removeprefix("on ") in outcome.refusal.sentence
        assert outcome.refusal.sentence.endswith(".")


@pytest.mark.parametrize("command", ALLOWED, ids=lambda command: type(command).__name__)
def test_nothing_can_be_done_with_an_order_that_does_not_exist(command: Command) -> None:
    given().when(command).refused(
        "no_such_order", "There is no order 536365. Nothing was changed. Check the number."
    )


def test_placing_an_order_adds_up_its_lines_exactly() -> None:
    given().when(place()).then(PLACED)


def test_an_order_has_a_line() -> None:
    nothing = do.PlaceOrder(order_id=THE, country="France", currency="EUR", lines=())
    given().when(nothing).refused(
        "no_lines", "Order 536365 has no lines; an order needs one. Nothing was changed."
    )


def test_lines_of_a_tenth_of_a_penny_keep_their_value() -> None:
    outcome = given().when(place("1", line(quantity=3, price="0.001"), line(price="0.0001")))
    (event,) = outcome.events
    assert isinstance(event, was.OrderPlaced)
    assert event.total == Decimal("0.0036")


def test_one_article_may_stand_on_several_lines_at_several_prices() -> None:
    outcome = given().when(place("1", line(price="1"), line(price="2"), line(price="1")))
    (event,) = outcome.events
    assert isinstance(event, was.OrderPlaced)
    assert [each.unit_price for each in event.lines] == [1, 2, 1]


@pytest.mark.parametrize("later", [(), (CANCELLED,), (REJECTED,)])
def test_an_order_number_is_used_once(later: tuple[Event, ...]) -> None:
    given(PLACED, *later).when(place()).refused(
        "order_exists",
        f"There is an order 536365 already, placed {ON}. "
        "Nothing was changed. Choose another number.",
    )


def test_approving() -> None:
    given(PLACED).when(APPROVE).then(APPROVED)


def test_approving_twice_is_refused() -> None:
    given(PLACED, APPROVED).when(APPROVE).refused(
        "already_approved",
        f"Order 536365 was approved {ON}; it need not be approved again. Nothing was changed.",
    )


def test_a_held_order_must_be_released_before_it_is_approved() -> None:
    given(PLACED, HELD).when(APPROVE).refused(
        "on_hold",
        "Order 536365 has been on hold since 1 Dec 2010 at 12:03 UTC (payment check); "
        "release it before you approve it. Nothing was changed.",
    )


def test_rejecting_says_what_was_lost() -> None:
    given(PLACED).when(REJECT).then(REJECTED)


def test_an_approved_order_is_cancelled_rather_than_rejected() -> None:
    given(PLACED, APPROVED).when(REJECT).refused(
        "already_approved",
        f"Order 536365 was approved {ON}; it can no longer be rejected, but it can be cancelled. "
        "Nothing was changed.",
    )


def test_holding() -> None:
    given(PLACED).when(HOLD).then(HELD)


@pytest.mark.parametrize("state", ["placed", "approved", "part_shipped"])
def test_a_released_order_goes_back_to_where_it_stood(state: str) -> None:
    given(*STATES[state], HELD).when(RELEASE).then(released(state))
    after = order(*STATES[state], HELD, released(state))
    assert after.status == state


def test_releasing_what_is_not_on_hold_is_refused() -> None:
    given(PLACED).when(RELEASE).refused(
        "not_on_hold",
        "Order 536365 has waited for approval since 1 Dec 2010 at 12:03 UTC; it is not on hold. "
        "Nothing was changed.",
    )


def test_changing_the_address() -> None:
    address = was.Address(line1="1 High Street", city="Leeds", country="United Kingdom")
    given(PLACED).when(CHANGE_ADDRESS).then(
        was.ShippingAddressChanged(order_id=THE, address=address)
    )


def test_the_address_of_a_shipped_order_stays() -> None:
    given(PLACED, APPROVED, ALL_SHIPPED).when(CHANGE_ADDRESS).refused(
        "already_shipped",
        f"Order 536365 was shipped {ON}; its shipping address can no longer be changed. "
        "Nothing was changed.",
    )


def test_adding_a_note() -> None:
    given(PLACED).when(NOTE).then(was.OrderNoteAdded(order_id=THE, note="Rang them."))


def test_shipping_without_lines_ships_all_that_is_left() -> None:
    given(PLACED, APPROVED).when(SHIP).then(ALL_SHIPPED)
    given(PLACED, APPROVED, PART_SHIPPED).when(SHIP).then(shipped((1, 2), (2, 2), complete=True))


def ship(*lines: tuple[int, int]) -> do.ShipOrder:
    asked = tuple(ShippedLine(line_no=number, quantity=quantity) for number, quantity in lines)
    return do.ShipOrder(order_id=THE, lines=asked, carrier="DHL", tracking="JD014")


def test_shipping_some_lines_leaves_the_rest() -> None:
    given(PLACED, APPROVED).when(ship((1, 4))).then(PART_SHIPPED)


def test_shipping_the_last_of_every_line_completes_the_order() -> None:
    given(PLACED, APPROVED, PART_SHIPPED).when(ship((2, 2), (1, 2))).then(
        shipped((2, 2), (1, 2), complete=True)
    )


def test_no_more_of_a_line_is_shipped_than_is_left() -> None:
    given(PLACED, APPROVED, PART_SHIPPED).when(ship((1, 3))).refused(
        "more_than_left",
        "Line 1 of order 536365 has 2 left to ship; 3 cannot be shipped. Nothing was changed.",
    )


def test_a_line_that_is_not_there_cannot_be_shipped() -> None:
    given(PLACED, APPROVED).when(ship((3, 1))).refused(
        "no_such_line", "Order 536365 has no line 3; its last line is 2. Nothing was changed."
    )


def test_an_order_is_approved_before_it_is_shipped() -> None:
    given(PLACED).when(SHIP).refused(
        "not_approved",
        "Order 536365 has waited for approval since 1 Dec 2010 at 12:03 UTC; "
        "approve it before you ship it. Nothing was changed.",
    )


def test_nothing_is_shipped_twice() -> None:
    given(PLACED, APPROVED, ALL_SHIPPED).when(SHIP).refused(
        "already_shipped",
        f"Order 536365 was shipped {ON}; nothing is left to ship. Nothing was changed.",
    )


def test_delivering() -> None:
    given(PLACED, APPROVED, ALL_SHIPPED).when(DELIVER).then(DELIVERED)


def test_an_order_shipped_in_part_is_not_delivered() -> None:
    given(PLACED, APPROVED, PART_SHIPPED).when(DELIVER).refused(
        "not_shipped",
        f"Order 536365 was shipped in part {ON}; ship or cancel the remaining items first. "
        "Nothing was changed.",
    )


def test_an_order_that_has_not_left_is_not_delivered() -> None:
    given(PLACED, APPROVED).when(DELIVER).refused(
        "not_shipped", f"Order 536365 was approved {ON}; ship it first. Nothing was changed."
    )


def test_cancelling_says_what_was_lost() -> None:
    given(PLACED, APPROVED).when(CANCEL).then(CANCELLED)
    given(PLACED, HELD).when(CANCEL).then(CANCELLED)


def test_a_shipped_order_is_not_cancelled() -> None:
    given(PLACED, APPROVED, ALL_SHIPPED).when(CANCEL).refused(
        "already_shipped",
        f"Order 536365 was shipped {ON}; it can no longer be cancelled. Nothing was changed.",
    )


def test_an_order_held_after_a_part_was_shipped_is_not_cancelled() -> None:
    given(PLACED, APPROVED, PART_SHIPPED, HELD).when(CANCEL).refused(
        "already_shipped",
        f"Order 536365 was shipped in part {ON}; "
        "it can no longer be cancelled, but its remaining items can. Nothing was changed.",
    )


@pytest.mark.parametrize("on_the_way", [(), (HELD,)])
def test_what_remains_of_an_order_shipped_in_part_is_cancelled_and_the_rest_delivered(
    on_the_way: tuple[Event, ...],
) -> None:
    part = given(PLACED, APPROVED, PART_SHIPPED, *on_the_way).when(CANCEL_REST)
    closed = part.then(REST_CANCELLED)
    assert (closed.status, closed.left, closed.total) == ("shipped", [0, 0], Decimal("10.20"))
    given(PLACED, APPROVED, PART_SHIPPED, *on_the_way, REST_CANCELLED).when(DELIVER).then(DELIVERED)


def test_a_line_that_has_shipped_is_not_among_the_remaining_items() -> None:
    part = shipped((1, 4), (2, 2), complete=False)
    [cancelled] = given(PLACED, APPROVED, part).when(CANCEL_REST).events
    assert isinstance(cancelled, was.RemainingItemsCancelled)
    assert cancelled.lines == (was.CancelledLine(line_no=1, quantity=2),)
    assert cancelled.amount == Decimal("5.10")


@pytest.mark.parametrize("held", [(), (HELD,)])
def test_an_order_of_which_nothing_has_shipped_is_cancelled_as_a_whole(
    held: tuple[Event, ...],
) -> None:
    refused = given(PLACED, APPROVED, *held).when(CANCEL_REST).refused("not_shipped")
    assert "nothing of it has shipped, so cancel the whole order." in refused.sentence


@pytest.mark.parametrize("state", ["placed", "shipped", "rest_cancelled", "cancelled"])
def test_history_has_no_remaining_items_where_none_can_remain(state: str) -> None:
    outcome = given(*STATES[state]).when(CANCEL_REST, history=True)
    assert outcome.refusal is not None


@pytest.mark.parametrize("state", STATES)
def test_a_snapshot_brings_the_same_order_back(state: str) -> None:
    before = order(*STATES[state])
    assert restore(Order, snapshot_of(before, 1, 0), ()) == before


def test_a_large_order_is_a_small_snapshot() -> None:
    lines = tuple(line(f"S{number}", what="x" * 200) for number in range(750))
    (event,) = given().when(place("1", *lines)).events
    assert len(msgspec.json.encode(order(event))) < 8_000


@pytest.mark.parametrize(
    ("currency", "price", "written", "total"),
    [
        ("GBP", "2.5", "2.50", "7.50"),
        ("JPY", "300.0", "300", "900"),
        ("GBP", "0.001", "0.001", "0.003"),
    ],
)
def test_amounts_are_written_with_the_digits_of_their_currency_and_stay_exact(
    currency: str, price: str, written: str, total: str
) -> None:
    [placed] = given().when(place("1", line(quantity=3, price=price), currency=currency)).events
    assert isinstance(placed, was.OrderPlaced)
    assert (str(placed.lines[0].unit_price), str(placed.total)) == (written, total)


@pytest.mark.parametrize("currency", ["HRK", "BGN"])
def test_no_new_order_is_in_a_withdrawn_currency_and_history_is_not_flagged_for_it(
    currency: str,
) -> None:
    command = place(THE, currency=currency)
    refused = given().when(command).refusal
    assert refused is not None
    assert refused.code == "withdrawn_currency"
    assert "Nothing was changed." in refused.sentence
    [placed] = given().when(command, history=True).events
    assert placed.currency == currency


@pytest.mark.parametrize("hyphen", "\u2010\u2011\u2013\u2212")
def test_a_sku_is_the_same_with_another_hyphen(hyphen: str) -> None:
    assert place(THE, line(f"MUG{hyphen}1")) == place(THE, line("MUG-1"))
