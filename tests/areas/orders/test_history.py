"""History is let in against the rules of today, and flagged."""

from __future__ import annotations

from itertools import product

import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import BillingAddress, ShippedLine, ShippingAddress
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.kernel.messages.messages import Command, Event
from tests.areas.orders.given import (
    ALL_SHIPPED,
    APPROVED,
    CANCELLED,
    DELIVERED,
    HELD,
    PART_SHIPPED,
    PLACED,
    REJECTED,
    given,
    order,
    place,
    shipped,
)
from tests.areas.orders.test_order import (
    ALLOWED,
    APPROVE,
    CANCEL,
    CANCEL_REST,
    CANCEL_RETURN,
    CHANGE_LINES,
    DELIVER,
    HOLD,
    RECEIVE,
    REJECT,
    RELEASE,
    SHIP,
    STATES,
    THE,
)

NEVER = (CANCEL_REST, CHANGE_LINES, RECEIVE, CANCEL_RETURN)
"""Where the rules refuse these, nothing can have happened."""
GIVEN_UP = {"cancelled", "rejected"}


@pytest.mark.parametrize(
    ("command", "state"),
    [pytest.param(c, s, id=f"{type(c).__name__}-{s}") for c, s in product(ALLOWED, STATES)],
)
def test_what_the_rules_would_refuse_is_let_in_as_history_beside_one_flag(
    command: Command, state: str
) -> None:
    live = given(*STATES[state]).when(command)
    outcome = given(*STATES[state]).when(command, history=True)
    if live.refusal is None:
        assert outcome.events == live.events
    elif command in NEVER or (state in GIVEN_UP and command in (REJECT, CANCEL)):
        assert outcome.refusal is not None
        assert outcome.refusal.sentence == live.refusal.sentence
    else:
        flag, happened = outcome.events
        assert flag == was.OrderFlagged(
            order_id=THE,
            task=type(command).__name__,
            code=live.refusal.code,
            sentence=live.refusal.why,
        )
        assert not isinstance(happened, was.OrderFlagged)


def test_an_order_of_nothing_is_let_in_and_flagged() -> None:
    nothing = do.PlaceOrder(order_id=THE, country="Brazil", currency="BRL", lines=())
    placed, flag = given().when(nothing, history=True).events
    assert isinstance(placed, was.OrderPlaced)
    assert isinstance(flag, was.OrderFlagged)
    assert (placed.total, flag.code) == (0, "no_lines")


@pytest.mark.parametrize("command", ALLOWED, ids=lambda command: type(command).__name__)
def test_not_even_history_happens_to_an_order_that_does_not_exist(command: Command) -> None:
    outcome = given().when(command, history=True)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "no_such_order"


def test_a_number_is_used_once_in_history_too() -> None:
    outcome = given(PLACED).when(place(), history=True)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "order_exists"


def test_history_ships_no_more_of_a_line_than_was_ordered() -> None:
    too_many = do.ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=7),))
    outcome = given(PLACED, APPROVED).when(too_many, history=True)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "more_than_left"


@pytest.mark.parametrize(
    ("so_far", "command", "status"),
    [
        pytest.param((PLACED, ALL_SHIPPED), APPROVE, "shipped", id="approved late"),
        pytest.param((PLACED, APPROVED, DELIVERED), SHIP, "delivered", id="shipped late"),
        pytest.param((PLACED, APPROVED), DELIVER, "delivered", id="delivered unshipped"),
        pytest.param((PLACED, APPROVED, ALL_SHIPPED), CANCEL, "cancelled", id="too late"),
        pytest.param((PLACED, CANCELLED), SHIP, "cancelled", id="shipped when cancelled"),
        pytest.param((PLACED, REJECTED), HOLD, "rejected", id="held when rejected"),
        pytest.param((PLACED, APPROVED, ALL_SHIPPED), HOLD, "shipped", id="held when shipped"),
        pytest.param((PLACED, APPROVED), RELEASE, "approved", id="released without a hold"),
        pytest.param((PLACED, HELD), APPROVE, "on_hold", id="approved on hold"),
        pytest.param((PLACED, HELD), SHIP, "shipped", id="shipped on hold"),
        pytest.param((PLACED, HELD), REJECT, "rejected", id="rejected on hold"),
    ],
)
def test_an_order_never_goes_back(so_far: tuple[Event, ...], command: Command, status: str) -> None:
    after = order(*so_far, *given(*so_far).when(command, history=True).events)
    assert after.status == status
    assert (after.hold_reason != "") == (status == "on_hold")


def test_what_was_approved_on_hold_is_released_to_ship() -> None:
    (released,) = given(PLACED, HELD, APPROVED).when(RELEASE).events
    assert released == was.OrderReleased(order_id=THE, status="approved")


def test_what_was_shipped_in_part_on_hold_stays_on_hold() -> None:
    after = order(PLACED, APPROVED, HELD, PART_SHIPPED)
    assert (after.status, after.before_hold) == (OrderStatus.ON_HOLD, OrderStatus.PART_SHIPPED)


def test_a_second_hold_has_the_word_on_the_reason() -> None:
    address = was.OrderHeld(order_id=THE, reason="address_check", note="")
    after = order(PLACED, APPROVED, HELD, address)
    assert (after.hold_reason, after.before_hold) == ("address_check", OrderStatus.APPROVED)


def test_nothing_left_is_shipped_as_nothing() -> None:
    _, sent = given(PLACED, APPROVED, ALL_SHIPPED).when(SHIP, history=True).events
    assert sent == shipped(complete=True)


def test_what_is_no_country_is_refused_now_and_flagged_in_history() -> None:
    unknown = place("1", country="European Community")
    given().when(unknown).refused("unknown_country")
    placed, flag = given().when(unknown, history=True).events
    assert isinstance(placed, was.OrderPlaced)
    assert isinstance(flag, was.OrderFlagged)
    assert (placed.country, flag.code) == ("European Community", "unknown_country")
    for shipping, billing in (("Atlantis", ""), ("", "Atlantis")):
        sent = place(
            "1",
            country="Ireland",
            shipping_address=ShippingAddress(line1="1 High Street", country=shipping),
            billing_address=BillingAddress(line1="2 High Street", country=billing),
        )
        given().when(sent).refused("unknown_country")
    known = given().when(place("1", country="EIRE")).events
    assert [each.country for each in known if isinstance(each, was.OrderPlaced)] == ["Ireland"]
