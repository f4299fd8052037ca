"""Commands of orders cannot exist with unusable values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ShippedLine, ShippingAddress
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import parse
from tests.areas.orders.given import line, place


@pytest.mark.parametrize("order_id", ["536365", "C536379", "A-1_b.2", "a" * 60])
def test_usable_order_numbers(order_id: str) -> None:
    assert place(order_id).order_id == order_id


@pytest.mark.parametrize(
    "order_id",
    ["", " ", "a b", "a/b", "..", ".", "-a", "a\nb", "ä", "a\x00", "a" * 61, "a?b"],
)
def test_unusable_order_numbers(order_id: str) -> None:
    with pytest.raises(Invalid) as caught:
        place(order_id)
    assert set(caught.value.problems) == {"order_id"}


@pytest.mark.parametrize(
    ("bad", "field", "sentence"),
    [
        (line(quantity=0), "quantity", "Must be 1 or more."),
        (line(price="-0.01"), "unit_price", "Must be 0 or more."),
        (line(price="0.00001"), "unit_price", "At most 4 digits after the point."),
        (line(price="NaN"), "unit_price", "Enter a number, e.g. 12.50."),
        (line(price="100000001"), "unit_price", "Must be 100000000 or less."),
        (line(sku=""), "sku", "Required."),
        (
            line(what="a\x00b"),
            "description",
            "Contains characters that are not allowed.",
        ),
    ],
)
def test_an_unusable_line_is_named(bad: Any, field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        place("1", line(), bad)
    assert caught.value.problems == {f"lines.1.{field}": sentence}


def test_a_name_that_no_line_has_is_told() -> None:
    lines = [{"sku": "A", "quantity": 1, "unit_price": "1", "colour": "red"}]
    with pytest.raises(Invalid) as caught:
        parse(do.PlaceOrder, {"order_id": "1", "country": "x", "currency": "GBP", "lines": lines})
    assert caught.value.problems == {"lines.0.colour": "There is no such field."}


def test_a_line_from_json_is_named_the_same_way() -> None:
    lines = [{"sku": "A", "quantity": 1, "unit_price": 1}, {"sku": "B", "unit_price": "1"}]
    with pytest.raises(Invalid) as caught:
        parse(do.PlaceOrder, {"order_id": "1", "country": "x", "currency": "GBP", "lines": lines})
    assert caught.value.problems == {"lines.1.quantity": "Required."}


def test_an_order_has_at_most_five_thousand_lines() -> None:
    assert len(place("1", *[line()] * 5_000).lines) == 5_000
    with pytest.raises(Invalid):
        place("1", *[line()] * 5_001)


def test_an_order_that_no_sum_could_hold_is_invalid() -> None:
    with pytest.raises(Invalid) as caught:
        place("1", line(quantity=1_000_000_000, price="100000000"))
    assert caught.value.problems == {"lines": "The lines come to more than 1,000,000,000,000."}


def test_the_lines_of_one_product_are_no_more_than_can_be_reserved() -> None:
    half, sku = line(quantity=500_000_000, price="0"), "85123A"
    assert len(place("1", half, half, line("85123a", 1)).lines) == 3
    with pytest.raises(Invalid) as caught:
        place("1", half, half, line(sku, 1))
    assert caught.value.problems == {
        "lines": "The lines of 85123A come to more than 1,000,000,000 units."
    }


@pytest.mark.parametrize("quantity", ["9" * 19, "9" * 25, "9" * 5_000])
def test_an_overlong_quantity_has_a_sentence(quantity: str) -> None:
    lines = [{"sku": "A", "quantity": quantity, "unit_price": "1"}]
    rest = {"order_id": "1", "country": "France", "currency": "EUR"}
    with pytest.raises(Invalid) as caught:
        parse(do.PlaceOrder, {**rest, "lines": lines}, from_text=True)
    assert caught.value.problems["lines.0.quantity"] in (
        "Must be 1000000000 or less.",
        "Enter a whole number with fewer digits.",
    )


def test_a_currency_that_is_missing_is_required() -> None:
    for currency in ("", " ", "\u200b"):
        with pytest.raises(Invalid) as caught:
            place("1", currency=currency)
        assert caught.value.problems == {"currency": "Required."}


@pytest.mark.parametrize("currency", ["", "ZZZ", "GB", "GBPP", "XAU", "£"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(Invalid):
        place("1", currency=currency)


def test_an_address_part_that_is_too_long_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        place("1", shipping_address=ShippingAddress(city="x" * 101))
    assert caught.value.problems == {"shipping_address.city": "Enter at most 100 characters."}


def test_a_new_address_has_street_city_and_country() -> None:
    with pytest.raises(Invalid) as caught:
        do.ChangeShippingAddress(order_id="1", address=ShippingAddress(line1="x", city=" "))
    assert caught.value.problems == {"address": "Street, city and country are needed."}


def test_a_blank_reason_or_note_is_none() -> None:
    with pytest.raises(Invalid):
        do.RejectOrder(order_id="1", reason="  \n")
    with pytest.raises(Invalid):
        do.AddOrderNote(order_id="1", note="")


def test_a_line_is_listed_once_per_shipment() -> None:
    twice = ShippedLine(line_no=2, quantity=1)
    with pytest.raises(Invalid) as caught:
        do.ShipOrder(order_id="1", lines=(twice, twice))
    assert caught.value.problems == {"lines": "Line 2 is listed twice."}


def test_a_reason_is_one_of_the_shops() -> None:
    with pytest.raises(Invalid) as caught:
        parse(do.HoldOrder, {"order_id": "1", "reason": "because"})
    assert caught.value.problems == {"reason": "Choose one from the list."}
    assert HoldReason.FRAUD_SUSPECTED.label == "Fraud suspected"


def test_commands_come_back_from_json_as_they_were() -> None:
    command = place("1", line(price="0.0010"), shipping_address=ShippingAddress(city="Łódź"))
    assert parse(do.PlaceOrder, msgspec.json.decode(msgspec.json.encode(command))) == command
    assert command.lines[0].unit_price == Decimal("0.001")


def test_which_commands_mind_that_the_order_has_changed() -> None:
    minding = {command.__name__ for command in ORDERS.handlers if command.declaration.minds_version}
    assert minding == {
        "ApproveOrder",
        "RejectOrder",
        "HoldOrder",
        "ReleaseOrder",
        "ShipOrder",
        "CancelOrder",
        "CancelRemainingItems",
        "ChangeShippingAddress",
        "ChangeOrderLines",
        "RequestReturn",
        "ReceiveReturn",
        "CancelReturn",
        "ChangeBillingAddress",
        "AssignOrderToCustomer",
    }
