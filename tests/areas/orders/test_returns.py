"""What comes back of an order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import ReceivedLine, ReturnedLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, ReturnReason
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from tests.areas.orders.given import (
    ALL_SHIPPED,
    APPROVED,
    DELIVERED,
    PART_SHIPPED,
    PLACED,
    REST_CANCELLED,
    given,
    order,
    received,
    requested,
    terms,
)

THE = "536365"
SHIPPED = (PLACED, APPROVED, ALL_SHIPPED)


def request(*lines: tuple[int, int]) -> do.RequestReturn:
    return do.RequestReturn(
        order_id=THE,
        lines=tuple(ReturnedLine(line_no=number, quantity=quantity) for number, quantity in lines),
        reason=ReturnReason.DAMAGED,
    )


def receive(return_id: str, *lines: tuple[int, int, int]) -> do.ReceiveReturn:
    return do.ReceiveReturn(
        order_id=THE,
        return_id=return_id,
        lines=tuple(
            ReceivedLine(line_no=number, restocked=restocked, written_off=written_off)
            for number, restocked, written_off in lines
        ),
    )


def test_returns_of_an_order_are_numbered() -> None:
    given(*SHIPPED).when(request((1, 2))).then(requested("R1", (1, 2)))
    given(*SHIPPED, requested("R1", (1, 2))).when(request((1, 1), (2, 1))).then(
        requested("R2", (1, 1), (2, 1))
    )


def test_no_more_comes_back_than_has_shipped() -> None:
    given(PLACED, APPROVED, PART_SHIPPED).when(request((1, 5))).refused(
        "more_than_shipped",
        "Line 1 of order 536365 has 4 shipped units to return; 5 cannot be returned. "
        "Nothing was changed.",
    )


def test_what_is_requested_or_back_is_not_requested_again() -> None:
    open_one = (*SHIPPED, requested("R1", (1, 4)))
    given(*open_one).when(request((1, 3))).refused("more_than_shipped")
    back = (*open_one, received("R1", (1, 3, 1), amount="10.20"))
    given(*back).when(request((1, 3))).refused("more_than_shipped")
    given(*back).when(request((1, 2))).then(requested("R2", (1, 2)))


def test_what_a_cancelled_return_was_for_can_be_requested_again() -> None:
    cancelled = was.ReturnCancelled(order_id=THE, return_id="R1", note="")
    closed = (*SHIPPED, requested("R1", (1, 6)))
    given(*closed).when(do.CancelReturn(order_id=THE, return_id="R1")).then(cancelled)
    given(*closed, cancelled).when(request((1, 6))).then(requested("R2", (1, 6)))


def test_what_did_not_come_can_be_requested_again() -> None:
    half = (*SHIPPED, requested("R1", (1, 6)), received("R1", (1, 2, 0), amount="5.10"))
    given(*half).when(request((1, 4))).then(requested("R2", (1, 4)))


def test_receiving_without_lines_restocks_all_that_was_requested() -> None:
    given(*SHIPPED, requested("R1", (1, 2), (2, 1))).when(receive("R1")).then(
        received("R1", (1, 2, 0), (2, 1, 0), amount="8.49")
    )


def test_some_is_restocked_and_some_written_off_and_some_is_missing() -> None:
    given(*SHIPPED, requested("R1", (1, 4), (2, 1))).when(receive("R1", (1, 1, 2), (2, 0, 0))).then(
        received("R1", (1, 1, 2), amount="7.65")
    )


def test_the_last_units_to_come_back_complete_it() -> None:
    first = (*SHIPPED, requested("R1", (1, 6)), received("R1", (1, 6, 0), amount="15.30"))
    given(*first, requested("R2", (2, 2))).when(receive("R2", (2, 0, 2))).then(
        received("R2", (2, 0, 2), amount="6.78", complete=True)
    )


def test_an_order_with_items_left_to_ship_is_not_completely_returned() -> None:
    part = (PLACED, APPROVED, PART_SHIPPED)
    given(*part, requested("R1", (1, 4))).when(receive("R1")).then(
        received("R1", (1, 4, 0), amount="10.20")
    )
    given(*part, REST_CANCELLED, requested("R1", (1, 4))).when(receive("R1")).then(
        received("R1", (1, 4, 0), amount="10.20", complete=True)
    )


def test_no_more_is_received_than_was_requested() -> None:
    open_one = given(*SHIPPED, DELIVERED, requested("R1", (1, 2)))
    open_one.when(receive("R1", (1, 2, 1))).refused(
        "more_than_requested",
        "Return R1 of order 536365 is for 2 of line 1; 3 cannot be received. "
        "Nothing was changed. Request another return for the rest.",
    )
    open_one.when(receive("R1", (2, 1, 0))).refused(
        "no_such_line", "Return R1 of order 536365 is not for line 2. Nothing was changed."
    )


@pytest.mark.parametrize("command", [receive("R2"), do.CancelReturn(order_id=THE, return_id="R2")])
def test_a_return_is_closed_once(command: Command) -> None:
    closed = (
        *(*SHIPPED, requested("R1", (1, 1)), requested("R2", (1, 1))),
        received("R2", (1, 1, 0), amount="2.55"),
    )
    given(*closed).when(command).refused(
        "no_such_return", "Order 536365 has no open return R2; open: R1. Nothing was changed."
    )


def test_history_in_which_more_came_back_than_shipped_is_flagged() -> None:
    outcome = given(*SHIPPED).when(request((1, 9)), history=True)
    assert outcome.names == ["OrderFlagged", "ReturnRequested"]
    back = given(*SHIPPED, requested("R1", (1, 1))).when(receive("R1", (1, 3, 0)), history=True)
    assert back.names == ["OrderFlagged", "ReturnReceived"]
    assert back.subject.returned == {1: 3}


def test_history_of_a_return_that_never_was_is_refused() -> None:
    outcome = given(*SHIPPED).when(receive("R1"), history=True)
    assert outcome.refusal is not None


def test_nothing_received_is_no_receipt() -> None:
    with pytest.raises(Invalid, match="Enter what came back, or cancel the return"):
        receive("R1", (1, 0, 0))


def test_the_price_of_a_changed_line_is_what_comes_back() -> None:
    cheaper = was.OrderLinesChanged(
        order_id=THE,
        customer_id="17850",
        currency="GBP",
        lines=(terms(1, 6, "2"),),
        before=(terms(1, 6, "2.55"),),
        added=(),
        difference=Decimal("-3.30"),
        total=Decimal("18.78"),
    )
    changed = order(PLACED, cheaper, APPROVED, ALL_SHIPPED, requested("R1", (1, 3)))
    assert changed.prices[0] == 2
    given(PLACED, cheaper, APPROVED, ALL_SHIPPED, requested("R1", (1, 3))).when(receive("R1")).then(
        received("R1", (1, 3, 0), amount="6.00")
    )


def test_what_comes_back_has_its_share_of_discounts_and_taxes() -> None:
    """Three lamps of 2.00 less 1.20 and a card of 2.20; 1.40 tax, and shipping that stays."""
    placed = was.OrderPlaced(
        order_id=THE,
        customer_id="",
        customer_name="",
        country="France",
        shipping_address=was.Address(),
        currency="EUR",
        lines=(
            was.OrderedLine(
                sku="LAMP",
                description="",
                quantity=3,
                unit_price=Decimal(2),
                discount=Decimal("1.20"),
            ),
            was.OrderedLine(sku="CARD", description="", quantity=1, unit_price=Decimal("2.20")),
        ),
        total=Decimal("13.40"),
        adjustments=(
            was.Adjustment(kind="tax", label="", amount=Decimal("1.40")),
            was.Adjustment(kind="shipping", label="", amount=Decimal(5)),
        ),
    )
    shipped_all = (placed, APPROVED, do.ShipOrder(order_id=THE))
    [event] = given(*shipped_all, request((1, 1))).when(receive("R1")).events
    assert isinstance(event, was.ReturnReceived)
    assert event.amount == Decimal("1.92")
    part = (
        placed,
        APPROVED,
        do.ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=3),)),
    )
    rest = do.CancelRemainingItems(order_id=THE, reason=CancelReason.OTHER)
    [event] = given(*part, rest, request((1, 3))).when(receive("R1")).events
    assert isinstance(event, was.ReturnReceived)
    assert event.amount == Decimal("5.76")
