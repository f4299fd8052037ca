"""An order's timeline: one story from the events of every area."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from cqrs_app.areas.desk.projections.timeline import ENTRIES, OrderTimelineProjection
from cqrs_app.areas.desk.queries.timeline import (
    OrderTimeline,
    TimelineEntry,
    TimelineVersion,
    timeline,
    timeline_version,
)
from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.fulfilment import events as moved
from cqrs_app.areas.inventory import events as stock
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ShippedLine, ShippingAddress
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus
from cqrs_app.areas.payments import events as paid
from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel import ERASED, Event, SubjectErased, testing
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.platform.catalogue.examples import example_of
from tests.areas.desk.history import START
from tests.areas.desk.history import History as OrdersHistory
from tests.areas.desk.shop import histories
from tests.areas.orders.given import line, place
from tests.read_stores import batches, stored_rows

REGISTRY = build_registry()
PROJECTION = next(
    each for each in REGISTRY.projections.values() if isinstance(each, OrderTimelineProjection)
)
LEEDS = ShippingAddress(name="Anna", line1="1 High Street", city="Leeds", country="UK")
YORK = ShippingAddress(name="Anna", line1="2 Low Street", city="York", country="UK")
US = "fulfilment"


class History(testing.History):
    """A history of every area, in which an order is the order 1 of customer 17850."""

    def __init__(self) -> None:
        super().__init__(REGISTRY, START)

    def reserved(self, sku: str, quantity: int, order_id: str = "1") -> None:
        event = stock.StockReserved(sku=sku, order_id=order_id, quantity=quantity)
        self.record(f"stock-{sku}", [event], operator=US)

    def payment(self, *events: type[Event], operator: str = US, **fields: Any) -> None:
        for event in events:
            given = {
                "payment_id": "P1",
                "order_id": "1",
                "request_no": 1,
                "amount": Decimal("33.30"),
                "currency": "GBP",
                "gateway": "sandbox",
                "method": "card",
                "reference": "G-1",
                "reason": "Sold out",
                "asked": "authorisation",
                "code": "expired",
                "sentence": "The card expired.",
            } | fields
            named = {name: given[name] for name in event.__annotations__}
            self.record("payment-P1", [event(**named)], operator=operator)


def take(connection: Connection, history: testing.History, sizes: Iterable[int] = (500,)) -> None:
    for batch in batches(history.recorded, sizes):
        handled = [each for each in batch if each.stored.type in PROJECTION.handlers]
        PROJECTION.take(handled, connection)


def shown(connection: Connection, **asked: Any) -> tuple[TimelineEntry, ...]:
    return timeline(OrderTimeline(**{"order_id": "1"} | asked), connection)


def labels(entries: Iterable[TimelineEntry]) -> list[str]:
    return [each.label for each in entries]


def a_story() -> History:
    history = History()
    lines = (line(price="2.5501"), line("POST", 1, "18"))
    history.run(place("1", *lines, customer_name="Anna", shipping_address=LEEDS))
    history.run(do.ApproveOrder(order_id="1"), operator="ben")
    history.run(do.HoldOrder(order_id="1", reason=HoldReason.STOCK_CHECK, note="2 left"))
    history.run(do.ReleaseOrder(order_id="1"))
    some = (ShippedLine(line_no=1, quantity=4),)
    history.run(do.ShipOrder(order_id="1", lines=some, carrier="DHL", tracking="JD014"))
    return history


def test_the_timeline_has_who_what_and_the_former_values(connection: Connection) -> None:
    take(connection, a_story())
    assert [
        (each.version, each.operator, each.label, dict(each.detail), each.before)
        for each in shown(connection)
    ] == [
        (
            1,
            "ana",
            "Order placed",
            {
                "Customer": "Anna",
                "Address": "Anna, 1 High Street, Leeds, United Kingdom",
                "Lines": "2, 7 units",
                "Total": "GBP 33.3006",
            },
            {},
        ),
        (2, "ben", "Approved", {"Status": "Approved"}, {"Status": "Needs approval"}),
        (
            3,
            "ana",
            "Put on hold",
            {"Hold reason": "Stock check", "Note": "2 left", "Status": "On hold"},
            {"Status": "Approved"},
        ),
        (
            4,
            "ana",
            "Released",
            {"Status": "Approved", "Hold reason": "None"},
            {"Status": "On hold", "Hold reason": "Stock check"},
        ),
        (
            5,
            "ana",
            "Shipped in part",
            {"Units": "4", "Carrier": "DHL", "Tracking": "JD014", "Status": "Partly shipped"},
            {"Status": "Approved"},
        ),
    ]


def test_a_changed_address_is_shown_with_the_one_before(connection: Connection) -> None:
    history = History()
    history.run(place("1", line(), shipping_address=LEEDS))
    history.run(do.ChangeShippingAddress(order_id="1", address=YORK))
    history.run(do.ChangeShippingAddress(order_id="1", address=LEEDS))
    take(connection, history, sizes=[1])
    _, first, second = shown(connection)
    assert first.before["Address"] == "Anna, 1 High Street, Leeds, United Kingdom"
    assert dict(first.detail)["Address"] == "Anna, 2 Low Street, York, United Kingdom"
    assert second.before["Address"] == "Anna, 2 Low Street, York, United Kingdom"


def test_addresses_to_ship_and_to_bill_are_followed_apart(connection: Connection) -> None:
    history = History()
    history.run(place("1", line(), shipping_address=LEEDS, billing_address=YORK))
    history.run(do.ChangeBillingAddress(order_id="1", address=LEEDS))
    take(connection, history)
    placed, changed = shown(connection)
    assert dict(placed.detail)["Billing address"] == "Anna, 2 Low Street, York, United Kingdom"
    assert changed.before == {"Billing address": "Anna, 2 Low Street, York, United Kingdom"}


def test_who_cancelled_it_and_what_it_was_before(connection: Connection) -> None:
    history = History()
    history.run(place("1", line()))
    history.run(do.HoldOrder(order_id="1", reason=HoldReason.FRAUD_SUSPECTED))
    history.run(do.CancelOrder(order_id="1", reason=CancelReason.FRAUD), operator="sue")
    take(connection, history)
    last = shown(connection)[-1]
    assert (last.label, last.operator, dict(last.detail)["Status"]) == (
        "Cancelled",
        "sue",
        "Cancelled",
    )
    assert last.before == {"Status": "On hold", "Hold reason": "Fraud suspected"}


def the_whole_story() -> History:
    history = History()
    history.run(place("1", line("A", 3, "5"), line("B", 2, "9.15")))
    history.run(do.ApproveOrder(order_id="1"))
    for stage in ("reserving", "out_of_stock", "reserving"):
        event = moved.FulfilmentMoved(
            order_id="1", stage=stage, sentence="B: Only 1 available.", late=False, within=60
        )
        history.record("fulfilment-1", [event], operator=US)
    history.reserved("A", 3)
    history.reserved("B", 2)
    history.payment(paid.PaymentAuthorisationRequested)
    history.payment(paid.PaymentAuthorised, operator="sandbox")
    history.payment(paid.PaymentCaptureRequested)
    history.payment(paid.PaymentCaptured, operator="sandbox")
    history.run(do.AddOrderNote(order_id="1", note="Rang them."))
    history.run(do.ShipOrder(order_id="1"))
    history.payment(paid.PaymentRefundRequested, operator="sue", amount=Decimal(5))
    history.payment(paid.PaymentRefunded, operator="sandbox", amount=Decimal(5))
    return history


def test_every_area_is_in_it_and_nothing_is_said_twice(connection: Connection) -> None:
    take(connection, the_whole_story())
    assert labels(shown(connection)) == [
        "Order placed",
        "Approved",
        "Out of stock",
        "Stock reserved",
        "Payment requested",
        "Payment authorised",
        "Payment captured",
        "Note",
        "Shipped",
        "Refund requested",
        "Payment refunded",
    ]


def test_what_a_person_requested_is_in_it(connection: Connection) -> None:
    history = History()
    history.payment(paid.PaymentCaptureRequested, paid.PaymentVoidRequested, operator="sue")
    take(connection, history)
    assert labels(shown(connection)) == ["Capture requested", "Void requested"]


def test_amounts_and_reasons_of_payments_are_in_it(connection: Connection) -> None:
    history = History()
    history.payment(paid.PaymentDeclined, paid.PaymentRefundRequested)
    history.payment(paid.PaymentDeclined, asked="refund")
    take(connection, history)
    declined, requested, refused = shown(connection)
    assert (declined.label, refused.label) == ("Payment declined", "Refund declined")
    assert dict(declined.detail) == {
        "Amount": "GBP 33.30",
        "Payment": "P1",
        "Code": "expired",
        "Reason": "The card expired.",
    }
    assert dict(requested.detail)["Reason"] == "Sold out"


def test_a_payment_that_was_moved_is_in_both_orders(connection: Connection) -> None:
    history = History()
    history.payment(paid.PaymentMoved, from_order_id="2")
    take(connection, history)
    assert labels(shown(connection)) == labels(shown(connection, order_id="2")) == ["Payment moved"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (EntryKind.ORDER, ["Order placed", "Approved"]),
        (EntryKind.STOCK, ["Out of stock", "Stock reserved"]),
        (EntryKind.SHIPPING, ["Shipped"]),
        (EntryKind.NOTE, ["Note"]),
        (EntryKind.PAYMENT, ["Refund requested", "Payment refunded"]),
    ],
)
def test_one_kind_of_entries_can_be_chosen(
    connection: Connection, entries: EntryKind, expected: list[str]
) -> None:
    take(connection, the_whole_story())
    assert labels(shown(connection, kind=entries))[-2:] == expected


def test_only_the_newest_are_given_where_asked_for(connection: Connection) -> None:
    take(connection, the_whole_story())
    assert labels(shown(connection, newest=2)) == ["Refund requested", "Payment refunded"]
    assert len(shown(connection, newest=10_000)) == 11


def test_the_stock_of_a_large_order_is_one_entry(connection: Connection) -> None:
    history = History()
    for number in range(5_000):
        history.reserved(f"S{number:04}", 2)
    take(connection, history)
    (entry,) = shown(connection)
    assert entry.detail == (
        *((f"S000{number}", "2 units") for number in range(5)),
        ("4,995 more products", "9,990 units"),
    )


def test_a_late_order_and_a_decision_that_is_needed_are_in_it(connection: Connection) -> None:
    history = History()
    for stage, late in (("to_ship", True), ("stuck", False)):
        event = moved.FulfilmentMoved(
            order_id="1", stage=stage, sentence="Ready to ship.", late=late, within=None
        )
        history.record("fulfilment-1", [event], operator=US)
    skipped = moved.FulfilmentStepSkipped(order_id="1", step="stock", reason="It is on the shelf.")
    history.record("fulfilment-1", [skipped], operator="sue")
    take(connection, history)
    assert [(each.label, dict(each.detail)) for each in shown(connection)] == [
        ("Late", {"Step": "Waiting for shipment", "Reason": "Ready to ship."}),
        ("Needs a decision", {"Reason": "Ready to ship."}),
        ("Step skipped", {"Step": "Reserving stock", "Reason": "It is on the shelf."}),
    ]


WORDS = (8, "6696d64763fc")
"""The version of the projection, and a hash of the words that its rows hold."""


def test_other_words_come_with_another_version_since_rows_hold_them() -> None:
    words = []
    for cls, entry_of in ENTRIES.items():
        known = {"step": "stock", "asked": "capture", "stage": "stuck", "sku": "A"}
        entry = entry_of(parse(cls, example_of(cls, known=known)))
        assert entry is not None
        words.append((entry.label, [name for name, _ in entry.detail], [*entry.personal]))
    hashed = hashlib.sha256(repr(words).encode()).hexdigest()[:12]
    assert (OrderTimelineProjection.version, hashed) == WORDS


def test_the_version_of_the_order_is_not_that_of_its_payments(connection: Connection) -> None:
    take(connection, the_whole_story())
    assert timeline_version(TimelineVersion(order_id="1"), connection) == 4
    assert timeline_version(TimelineVersion(order_id="2"), connection) == 0


@pytest.mark.parametrize("customer_id", ["17850", ""])
def test_an_erased_person_is_erased_as_in_a_replay(
    connection: Connection, customer_id: str
) -> None:
    history = History()
    history.run(place("1", line(), customer_id=customer_id, customer_name="Anna"))
    history.run(do.ChangeShippingAddress(order_id="1", address=LEEDS))
    history.run(place("2", line(), customer_id="other", customer_name="Ben"))
    take(connection, history)
    subject = f"customer-{customer_id}" if customer_id else "order-1"
    history.record(subject, [SubjectErased(subject=subject)])
    take(connection, history, sizes=[1])
    placed, changed = shown(connection)
    assert dict(placed.detail)["Customer"] == ERASED
    assert dict(changed.detail)["Address"] == ERASED
    assert dict(shown(connection, order_id="2")[0].detail)["Customer"] == "Ben"


def test_a_guest_and_a_number_without_a_name_are_not_personal(connection: Connection) -> None:
    history = History()
    history.run(place("1", line(), customer_id=""))
    history.run(place("2", line(), customer_id="17850"))
    for subject in ("order-1", "customer-17850"):
        history.record(subject, [SubjectErased(subject=subject)])
    take(connection, history)
    customers = [dict(shown(connection, order_id=each)[0].detail)["Customer"] for each in "12"]
    assert customers == ["Guest", "17850"]


def test_imported_history_keeps_both_its_times(connection: Connection) -> None:
    history = History()
    history.run(place("1", line()), at=START - timedelta(days=9), history=True)
    take(connection, history)
    (entry,) = shown(connection)
    assert entry.at == START - timedelta(days=9)
    assert entry.recorded_at > START


def test_an_entry_after_a_skipped_event_knows_what_was_before(connection: Connection) -> None:
    history = a_story()
    handled = [each for each in history.recorded if each.version != 3]
    for recorded in handled:
        PROJECTION.take([recorded], connection)
    assert labels(shown(connection)) == ["Order placed", "Approved", "Released", "Shipped in part"]
    assert shown(connection)[3].before == {"Status": "Approved"}


def test_an_order_whose_placing_was_skipped_has_entries_all_the_same(
    connection: Connection,
) -> None:
    history = a_story()
    PROJECTION.take(history.recorded[1:], connection)
    assert labels(shown(connection))[0] == "Approved"
    assert [each.before for each in shown(connection)] == [{}] * 4


def test_every_event_of_an_order_has_an_entry() -> None:
    declared = set(REGISTRY.events.values())
    concerned = {
        event
        for event in declared
        if "order_id" in event.__annotations__ and "fulfilment" not in event.__module__
    }
    assert {event.__name__ for event in concerned} <= PROJECTION.handlers.keys()


@settings(deadline=None, max_examples=100)
@given(histories())
def test_what_is_followed_agrees_with_the_aggregate(history: OrdersHistory) -> None:
    rows = Rows()
    handled = [each for each in history.recorded if each.stored.type in PROJECTION.handlers]
    PROJECTION.apply(handled, rows)
    own = [row for row in rows.all(order_timeline) if row["stream"].startswith("order-")]
    last = {row["order_id"]: row for row in own}
    for order_id, row in last.items():
        aggregate: Any = history.aggregates[f"order-{order_id}"]
        facts = msgspec.json.decode(row["facts"])
        assert OrderStatus(facts["status"]) is aggregate.status
        assert facts["hold_reason"] == aggregate.hold_reason
        assert Decimal(facts["total"]) == aggregate.total


def test_rows_need_no_other_streams_events(connection: Connection) -> None:
    history = the_whole_story()
    take(connection, history)
    folded = Rows()
    PROJECTION.apply(history.of("order-1"), folded)
    own = [row for row in stored_rows(connection, order_timeline) if row["stream"] == "order-1"]
    assert folded.all(order_timeline) == own
