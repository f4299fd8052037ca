"""The lines of an order are changed before they ship."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import ChangedLine
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, Event
from tests.areas.orders.given import (
    ALL_SHIPPED,
    APPROVED,
    CANCELLED,
    DOUBLED,
    HELD,
    ON,
    PART_SHIPPED,
    PLACED,
    given,
    line,
    order,
    shipped,
)

THE = "536365"


def change(*lines: tuple[int, int, str], added: tuple[str, int, str] | None = None) -> Command:
    return do.ChangeOrderLines(
        order_id=THE,
        lines=tuple(
            ChangedLine(line_no=number, quantity=quantity, unit_price=Decimal(price))
            for number, quantity, price in lines
        ),
        added=(line(*added),) if added else (),
    )


@pytest.mark.parametrize("later", [(), (APPROVED,), (HELD,)])
def test_lines_are_changed_removed_and_added_and_the_total_follows(
    later: tuple[Event, ...],
) -> None:
    command = change((1, 12, "2.55"), (2, 0, "3.39"), added=("POST", 1, "5"))
    after = given(PLACED, *later).when(command).then(DOUBLED)
    assert (after.total, after.left) == (Decimal("35.60"), [12, 0, 1])


def test_a_line_keeps_its_number_for_ever() -> None:
    after = order(PLACED, DOUBLED)
    again = given(PLACED, DOUBLED).when(change(added=("85123A", 1, "1")))
    assert (after.left[1], again.subject.left) == (0, [12, 0, 1, 1])
    back = given(PLACED, DOUBLED).when(change((2, 3, "3.39")))
    assert back.subject.left == [12, 3, 1]


def test_lines_sent_as_they_are_do_not_count_as_changed() -> None:
    [event] = given(PLACED).when(change((1, 6, "2.550"), (2, 2, "4"))).events
    assert isinstance(event, was.OrderLinesChanged)
    assert [(each.line_no, each.unit_price) for each in event.lines] == [(2, Decimal("4.00"))]
    assert (event.difference, event.total) == (Decimal("1.22"), Decimal("23.30"))


def test_a_change_that_changes_nothing_is_refused() -> None:
    for same in (change((1, 6, "2.55")), change()):
        given(PLACED).when(same).refused(
            "unchanged", "The lines of order 536365 are like that already. Nothing was changed."
        )


def test_a_line_that_is_not_there_cannot_be_changed() -> None:
    given(PLACED).when(change((3, 1, "1"))).refused(
        "no_such_line",
        "Order 536365 has no line 3; its last line is 2. Nothing was changed.",
    )


def test_an_order_without_lines_is_cancelled_instead() -> None:
    given(PLACED).when(change((1, 0, "2.55"), (2, 0, "3.39"))).refused(
        "no_lines", "Order 536365 would have no lines left. Nothing was changed. Cancel it instead."
    )


def test_what_has_shipped_of_a_line_stays_and_so_does_its_price() -> None:
    part = given(PLACED, APPROVED, PART_SHIPPED)
    part.when(change((1, 3, "2.55"))).refused(
        "fewer_than_shipped",
        "Line 1 of order 536365 has 4 shipped; its quantity cannot be 3. Nothing was changed.",
    )
    part.when(change((1, 6, "2"))).refused("shipped_price")
    after = part.when(change((1, 5, "2.55"), (2, 2, "3"))).subject
    assert (after.left, after.total) == ([1, 2], Decimal("18.75"))


def test_the_rest_of_a_changed_order_ships() -> None:
    given(PLACED, DOUBLED, APPROVED).when(do.ShipOrder(order_id=THE)).then(
        was.OrderShipped(
            order_id=THE,
            lines=shipped((1, 12), (3, 1), complete=True).lines,
            carrier="",
            tracking="",
            complete=True,
        )
    )


def test_an_order_with_nothing_left_to_ship_is_closed_otherwise() -> None:
    refused = given(PLACED, APPROVED, PART_SHIPPED).when(change((1, 4, "2.55"), (2, 0, "3.39")))
    refused.refused(
        "nothing_left",
        "Nothing of order 536365 would be left to ship. Nothing was changed. "
        "Cancel its remaining items instead.",
    )


def test_lines_that_have_shipped_are_changed_in_no_history_either() -> None:
    for state in ((PLACED, APPROVED, ALL_SHIPPED), (PLACED, CANCELLED)):
        outcome = given(*state).when(change((1, 9, "2.55")), history=True)
        assert outcome.refusal is not None
        assert ON in outcome.refusal.sentence


def test_an_order_does_not_grow_beyond_what_an_order_may_be() -> None:
    many = change((1, 1_000_000_000, "1"))
    given(PLACED).when(many).refused(
        "order_too_large", "An order has at most 1,000,000,000 units. Nothing was changed."
    )
    dear = change((1, 100_000, "100000000"))
    given(PLACED).when(dear).refused("order_too_large")


DISCOUNTED = was.OrderPlaced(
    order_id=THE,
    customer_id="",
    customer_name="",
    country="France",
    shipping_address=was.Address(),
    currency="EUR",
    lines=(
        was.OrderedLine(
            sku="LAMP", description="", quantity=3, unit_price=Decimal(2), discount=Decimal("1.20")
        ),
    ),
    total=Decimal("9.80"),
    adjustments=(was.Adjustment(kind="shipping", label="", amount=Decimal(5)),),
)


@pytest.mark.parametrize(
    ("discount", "then", "total"), [(None, "0.40", "6.60"), ("0", "0.00", "7.00")]
)
def test_a_discount_that_is_not_given_stays_the_same_for_each_unit(
    discount: str | None, then: str, total: str
) -> None:
    one = ChangedLine(
        line_no=1,
        quantity=1,
        unit_price=Decimal(2),
        discount=None if discount is None else Decimal(discount),
    )
    [event] = given(DISCOUNTED).when(do.ChangeOrderLines(order_id=THE, lines=(one,))).events
    assert isinstance(event, was.OrderLinesChanged)
    assert (event.lines[0].discount, event.total) == (Decimal(then), Decimal(total))


def test_a_discount_is_at_most_what_the_line_costs() -> None:
    free = ChangedLine(line_no=1, quantity=1, unit_price=Decimal(2), discount=Decimal("2.01"))
    given(DISCOUNTED).when(do.ChangeOrderLines(order_id=THE, lines=(free,))).refused(
        "discount_too_high",
        "The discount of line 1 is more than the line costs. Nothing was changed.",
    )


def test_a_line_is_named_once() -> None:
    with pytest.raises(Invalid, match="Line 1 is listed twice"):
        change((1, 1, "1"), (1, 2, "1"))
