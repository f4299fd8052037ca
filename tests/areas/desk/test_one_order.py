"""One order's page, from the read models and from the events: the same view."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from sqlalchemy import Connection

from cqrs_app.areas.desk import DESK
from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView, get_order
from cqrs_app.areas.desk.queries.timeline import OrderTimeline, TimelineEntry, timeline
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import ShippedLine, ShippingAddress
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus
from cqrs_app.kernel.queries.answers import Projected
from tests.areas.desk.history import START, History, fold, project, read_store
from tests.areas.desk.shop import histories
from tests.areas.orders.given import line, place
from tests.read_stores import stored_rows


def strongly(question: GetOrder | OrderTimeline, history: History) -> object:
    answer = DESK.answers[type(question)]
    assert isinstance(answer, Projected)
    assert answer.strong is not None
    strong = answer.strong
    streams = {strong.aggregate.stream_for(question), *strong.beside(question)}
    return strong.handler(question, fold(e for e in history.recorded if e.stream in streams))


@settings(deadline=None, max_examples=80)
@given(histories())
def test_a_strong_answer_is_what_the_read_models_will_say(history: History) -> None:
    engine = read_store()
    with engine.begin() as connection:
        project(connection, history.recorded)
        for row in stored_rows(connection, orders):
            question = GetOrder(order_id=row["order_id"])
            assert strongly(question, history) == get_order(question, connection)
            asked = OrderTimeline(order_id=row["order_id"])
            # Other areas' entries are left out.
            own = (e for e in timeline(asked, connection) if e.stream == f"order-{row['order_id']}")
            assert strongly(asked, history) == tuple(own)
    engine.dispose()


def test_an_order_that_is_not_there_is_nothing(connection: Connection) -> None:
    assert get_order(GetOrder(order_id="1"), connection) is None
    assert strongly(GetOrder(order_id="1"), History()) is None
    assert timeline(OrderTimeline(order_id="1"), connection) == ()
    assert strongly(OrderTimeline(order_id="1"), History()) == ()


def a_story() -> History:
    history = History()
    where = ShippingAddress(name="Anna", line1="1 High Street", city="Leeds", country="UK")
    lines = (line(price="2.5501"), line("POST", 1, "18"))
    history.run(place("1", *lines, customer_name="Anna", shipping_address=where))
    history.run(do.ApproveOrder(order_id="1"), operator="ben")
    history.run(do.HoldOrder(order_id="1", reason=HoldReason.STOCK_CHECK, note="2 left"))
    history.run(do.ReleaseOrder(order_id="1"))
    some = (ShippedLine(line_no=1, quantity=4),)
    history.run(do.ShipOrder(order_id="1", lines=some, carrier="DHL", tracking="JD014"))
    return history


def test_an_order_with_its_lines_and_what_is_left_of_them(connection: Connection) -> None:
    project(connection, a_story().recorded)
    view = get_order(GetOrder(order_id="1"), connection)
    assert view is not None
    assert (view.status, view.hold_reason) == (OrderStatus.PART_SHIPPED, None)
    assert (view.total, view.units, view.shipped_units) == (Decimal("33.3006"), 7, 4)
    assert [(each.line_no, each.amount, each.left) for each in view.lines] == [
        (1, Decimal("15.3006"), 2),
        (2, Decimal(18), 1),
    ]
    assert (view.carrier, view.tracking) == ("DHL", "JD014")
    assert (view.shipping_address.name, view.shipping_address.city) == ("Anna", "Leeds")
    assert view.shipping_address
    assert (view.placed_at, view.applied_version) == (START, 5)


def test_what_was_cancelled_of_an_order_is_no_longer_of_its_total(connection: Connection) -> None:
    history = a_story()
    history.run(
        do.CancelRemainingItems(order_id="1", reason=CancelReason.OUT_OF_STOCK, note="Gone.")
    )
    project(connection, history.recorded)
    view = get_order(GetOrder(order_id="1"), connection)
    assert view is not None
    assert (view.status, view.total, view.units) == (OrderStatus.SHIPPED, Decimal("10.2004"), 4)
    assert (view.cancelled_units, view.cancelled_amount) == (3, Decimal("23.1002"))
    assert [each.left for each in view.lines] == [0, 0]
    last = timeline(OrderTimeline(order_id="1"), connection)[-1]
    assert (last.label, dict(last.detail)) == (
        "Remaining items cancelled",
        {
            "Units": "3",
            "Amount": "GBP 23.1002",
            "Reason": "Out of stock",
            "Note": "Gone.",
            "Status": "Shipped",
            "Total": "GBP 10.2004",
        },
    )
    assert last.before == {"Status": "Partly shipped", "Total": "GBP 33.3006"}


def test_answers_come_back_from_the_cache_as_they_were(connection: Connection) -> None:
    project(connection, a_story().recorded)
    view = get_order(GetOrder(order_id="1"), connection)
    assert msgspec.json.decode(msgspec.json.encode(view), type=OrderView) == view
    entries = timeline(OrderTimeline(order_id="1"), connection)
    decoded = msgspec.json.decode(msgspec.json.encode(entries), type=tuple[TimelineEntry, ...])
    assert decoded == entries
