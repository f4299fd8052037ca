"""Discounts, shipping and tax: what an order costs, and what of it follows its items."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cqrs_app.areas.checks.payments import costs_of
from cqrs_app.areas.desk.queries.one_order import GetOrder, fold_order
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.amounts import part_of
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import OrderAdjustment, OrderLine, ShippedLine
from cqrs_app.areas.orders.words import AdjustmentKind, CancelReason
from cqrs_app.kernel import Invalid
from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.messages.messages import parse
from tests.areas.desk.history import History, fold
from tests.areas.orders.given import given, line, place

K = AdjustmentKind


def adjustment(kind: AdjustmentKind, amount: str, label: str = "") -> OrderAdjustment:
    return OrderAdjustment(kind=kind, label=label, amount=Decimal(amount))


LAMPS = OrderLine(sku="LAMP", quantity=4, unit_price=Decimal("10.00"), discount=Decimal("4.00"))
CUP = line("CUP", 1, "14")
ADJUSTMENTS = (
    adjustment(K.DISCOUNT, "5.00", "Spring"),
    adjustment(K.SHIPPING, "6.50"),
    adjustment(K.TAX, "9.00", "VAT"),
    adjustment(K.FEE, "1.00"),
)


def placed(**rest: Any) -> History:
    history = History()
    given_up = {"currency": "EUR", "adjustments": ADJUSTMENTS} | rest
    history.run(place("1", LAMPS, CUP, **given_up))
    return history


def test_an_order_costs_its_lines_less_discounts_and_what_is_added() -> None:
    (event,) = given().when(place("1", LAMPS, CUP, adjustments=ADJUSTMENTS)).events
    assert event.total == Decimal("61.50")
    assert [(each.kind, each.amount) for each in event.adjustments] == [
        ("discount", Decimal("5.00")),
        ("shipping", Decimal("6.50")),
        ("tax", Decimal("9.00")),
        ("fee", Decimal("1.00")),
    ]


def test_amounts_are_written_with_the_digits_of_their_currency() -> None:
    taxed = (adjustment(K.TAX, "9"),)
    (event,) = given().when(place("1", LAMPS, adjustments=taxed, currency="JPY")).events
    assert (str(event.adjustments[0].amount), str(event.lines[0].discount)) == ("9", "4")


def test_the_page_adds_up_to_the_total() -> None:
    view = fold_order(GetOrder(order_id="1"), fold(placed().recorded))
    assert view
    assert (view.subtotal, view.line_discount) == (Decimal(54), Decimal(4))
    assert (view.discount, view.shipping, view.tax, view.fee) == tuple(
        map(Decimal, ("9", "6.5", "9", "1"))
    )
    assert view.total == view.subtotal - view.discount + view.shipping + view.tax + view.fee
    assert [(each.kind, each.label) for each in view.adjustments][2] == (K.TAX, "VAT")


def test_remaining_items_take_their_share_of_discounts_and_tax_along_but_not_the_shipping() -> None:
    history = placed()
    history.run(do.ApproveOrder(order_id="1"))
    lines = (ShippedLine(line_no=1, quantity=2), ShippedLine(line_no=2, quantity=1))
    history.run(do.ShipOrder(order_id="1", lines=lines))
    history.run(do.CancelRemainingItems(order_id="1", reason=CancelReason.OTHER))
    event = history.recorded[-1].event
    assert isinstance(event, was.RemainingItemsCancelled)
    # 2 of 4 lamps: 18.00 of 50.00, with as much of 9.00 tax less 5.00 discount.
    assert event.amount == Decimal("19.44")
    order: Any = history.aggregates["order-1"]
    assert order.total == Decimal("61.50") - Decimal("19.44")
    view = fold_order(GetOrder(order_id="1"), fold(history.recorded))
    assert view
    assert view.cancelled_amount == Decimal("19.44")
    events = [each.event for each in history.of("order-1")]
    assert costs_of("1", events).total == order.total


def test_all_that_is_cancelled_of_an_order_of_gifts_costs_nothing() -> None:
    assert part_of(Decimal(9), Decimal(0), Decimal(0)) == 0


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        (
            {"lines": [{"sku": "A", "quantity": 2, "unit_price": "1", "discount": "2.01"}]},
            "lines",
            "The discount of line 1 is more than the line costs.",
        ),
        (
            {"adjustments": [{"kind": "discount", "amount": "100"}]},
            "adjustments",
            "The discounts are more than the order costs.",
        ),
        ({"adjustments": [{"kind": "tax", "amount": "-1"}]}, "adjustments.0.amount", "Must be 0"),
        ({"adjustments": [{"kind": "x", "amount": "1"}]}, "adjustments.0.kind", "Choose one from"),
    ],
)
def test_an_amount_that_cannot_be_is_refused_at_its_field(
    fields: dict[str, Any], where: str, sentence: str
) -> None:
    order = {"order_id": "1", "country": "France", "currency": "EUR"}
    order["lines"] = [{"sku": "A", "quantity": 1, "unit_price": "1"}]  # type: ignore[assignment]
    with pytest.raises(Invalid) as found:
        parse(do.PlaceOrder, order | fields)
    assert sentence in found.value.problems[where]


def test_an_order_stored_before_there_were_discounts_is_read_as_it_was() -> None:
    codec = EventCodec([was.OrderPlaced], was.UPCASTERS)
    history = History()
    history.run(place("1", line()))
    stored = history.recorded[0].stored
    payload = msgspec.json.decode(stored.payload)
    del payload["adjustments"], payload["billing_address"], payload["lines"][0]["discount"]
    old = msgspec.structs.replace(stored, schema=1, payload=msgspec.json.encode(payload).decode())
    event: Any = codec.decode(old).event
    assert event == history.recorded[0].event
    assert (event.adjustments, event.billing_address) == ((), was.Address())


def test_the_billing_address_is_changed_also_after_shipping() -> None:
    history = placed()
    history.run(do.ApproveOrder(order_id="1"))
    history.run(do.ShipOrder(order_id="1"))
    address = {"name": "Lima SARL", "line1": "Rue Basse 1", "city": "Lille", "country": "FR"}
    history.run(do.ChangeBillingAddress(order_id="1", address=do.BillingAddress(**address)))
    view = fold_order(GetOrder(order_id="1"), fold(history.recorded))
    assert view
    assert (view.billing_address.name, view.billing_address.country) == ("Lima SARL", "France")
    assert not view.shipping_address


def test_a_cancelled_orders_billing_address_stays() -> None:
    history = placed()
    history.run(do.CancelOrder(order_id="1", reason=CancelReason.OTHER))
    outcome = given(*(each.event for each in history.recorded)).when(
        do.ChangeBillingAddress(order_id="1")
    )
    outcome.refused("already_cancelled")


def test_an_order_is_restored_from_a_snapshot_with_its_amounts() -> None:
    order = given(*(each.event for each in placed().recorded)).state(Order)
    assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order


def test_discounts_and_charges_are_changed_and_everything_adds_up_again() -> None:
    history = placed()
    changed = (adjustment(K.SHIPPING, "6.50"), adjustment(K.TAX, "11.00", "VAT"))
    history.run(do.ChangeOrderLines(order_id="1", adjustments=changed))
    event = history.recorded[-1].event
    assert isinstance(event, was.OrderLinesChanged)
    assert (event.lines, event.difference, event.total) == ((), Decimal("6.00"), Decimal("67.50"))
    view = fold_order(GetOrder(order_id="1"), fold(history.recorded))
    assert view
    assert (view.discount, view.shipping, view.tax, view.fee) == tuple(
        map(Decimal, ("4", "6.5", "11", "0"))
    )
    assert view.total == view.subtotal - view.discount + view.shipping + view.tax == Decimal("67.5")
    assert [(each.kind, each.label) for each in view.adjustments] == [
        (K.SHIPPING, ""),
        (K.TAX, "VAT"),
    ]
    # A return takes its share of the tax there is now.
    state = fold_state(history)
    assert state.share_of({2: 1}) == Decimal(14) + part_of(Decimal(11), 14, 50)


def fold_state(history: History) -> Order:
    state = Order()
    for each in history.recorded:
        state.evolve(each.event, each.occurred_at)
    return state


def test_discounts_and_charges_that_are_left_out_stay() -> None:
    history = placed()
    history.run(do.ChangeOrderLines(order_id="1", added=(CUP,)))
    event = history.recorded[-1].event
    assert isinstance(event, was.OrderLinesChanged)
    assert (event.adjustments, event.difference) == (None, Decimal("14.00"))
    assert len(fold_state(history).adjustments) == len(ADJUSTMENTS)
    same = given(history.recorded[0].event).when(
        do.ChangeOrderLines(order_id="1", adjustments=ADJUSTMENTS)
    )
    assert same.refusal
    assert same.refusal.code == "unchanged"
    none = given(history.recorded[0].event).when(do.ChangeOrderLines(order_id="1", adjustments=()))
    assert none.subject.total == Decimal("50.00")


def test_discounts_higher_than_the_lines_are_refused() -> None:
    too_much = (adjustment(K.DISCOUNT, "50.01"),)
    refused = given(placed().recorded[0].event).when(
        do.ChangeOrderLines(order_id="1", adjustments=too_much)
    )
    assert refused.refusal
    assert refused.refusal.code == "discount_too_high"
