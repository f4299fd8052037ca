"""An exchange order names an order with a return, and each of the two shows the other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_at import GetOrderAt
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.queries.timeline import OrderTimeline
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    CancelReturn,
    PlaceOrder,
    RequestReturn,
    ShipOrder,
)
from cqrs_app.areas.orders.events import OrderPlaced
from cqrs_app.areas.orders.types import OrderLine, ReturnedLine
from cqrs_app.areas.orders.words import ReturnReason
from cqrs_app.kernel.commands.context import Context, new_id
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.fulfilment.conftest import MakeDesk, OrderDesk
from tests.areas.payments.conftest import ADA

EXCHANGE = {"exchange_for": "1"}


def place(order_id: str, **rest: Any) -> PlaceOrder:
    line = OrderLine(sku="A", description="", quantity=1, unit_price=Decimal(1))
    return PlaceOrder(order_id=order_id, country="France", currency="EUR", lines=(line,), **rest)


@pytest.fixture
def desk(make_desk: MakeDesk) -> OrderDesk:
    """Order 1 has shipped."""
    desk = make_desk(fulfilment=False, shipping_address_required=False)
    desk.do(place("1"), ApproveOrder(order_id="1"), ShipOrder(order_id="1"))
    return desk


def request_return(desk: OrderDesk) -> None:
    lines = (ReturnedLine(line_no=1, quantity=1),)
    desk.do(RequestReturn(order_id="1", lines=lines, reason=ReturnReason.DAMAGED))


def strong(desk: OrderDesk, question: Query) -> Any:
    context = QueryContext(actor=ADA, strong=True)
    return desk.kernel.queries.ask(question, context).value


def test_an_exchange_for_an_unknown_order_is_refused(desk: OrderDesk) -> None:
    with pytest.raises(Refused, match="There is no order 9") as refused:
        desk.do(place("2", exchange_for="9"))
    assert refused.value.code == "no_such_order"


def test_an_exchange_needs_a_return_that_was_not_cancelled(desk: OrderDesk) -> None:
    with pytest.raises(Refused, match="has no return") as refused:
        desk.do(place("2", **EXCHANGE))
    assert refused.value.code == "nothing_to_exchange"
    request_return(desk)
    desk.do(CancelReturn(order_id="1", return_id="R1"))
    with pytest.raises(Refused, match="has no return"):
        desk.do(place("2", **EXCHANGE))
    request_return(desk)
    desk.do(place("2", **EXCHANGE))
    desk.catch_up()
    assert desk.ask(GetOrder(order_id="2")).exchange_for == "1"


def test_imported_history_has_the_exchanges_it_had(desk: OrderDesk) -> None:
    importer = system_actor("importer", PlaceOrder.declaration.permission, HISTORY)
    context = Context(
        actor=importer, channel="import", command_id=new_id(), occurred_at=desk.clock()
    )
    desk.kernel.commands.execute(place("2", exchange_for="9"), context)
    desk.catch_up()
    assert desk.ask(GetOrder(order_id="2")).exchange_for == "9"


def test_both_orders_have_the_exchange_in_their_timeline(desk: OrderDesk) -> None:
    request_return(desk)
    desk.do(place("2", **EXCHANGE), place("3"))
    desk.catch_up()
    entries = desk.ask(OrderTimeline(order_id="1"))
    assert entries[-1].label == "Exchange order placed"
    assert dict(entries[-1].detail) == {"Exchange order": "2", "Total": "EUR 1.00"}
    [placed] = desk.ask(OrderTimeline(order_id="2"))
    assert dict(placed.detail)["Exchange for"] == "1"
    found = desk.ask(ListOrders(exchange_for="1")).rows
    assert [each.order_id for each in found] == ["2"]


def test_an_exchange_order_folded_from_its_events_has_its_own_entries_alone(
    desk: OrderDesk,
) -> None:
    request_return(desk)
    desk.do(place("2", **EXCHANGE))
    desk.catch_up()
    entries = strong(desk, OrderTimeline(order_id="2"))
    past = strong(desk, GetOrderAt(order_id="2", version=1))
    assert [each.label for each in entries] == ["Order placed"]
    assert [each.label for each in past.timeline] == ["Order placed"]
    then = desk.ask(GetOrderAt(order_id="1", position=desk.kernel.store.head()))
    assert then.entry.label == "Exchange order placed"


def test_an_order_stored_before_exchanges_is_read_as_none(desk: OrderDesk) -> None:
    [stored] = list(desk.kernel.store.events_of("order-1"))[:1]
    payload = msgspec.json.decode(stored.payload)
    del payload["exchange_for"]
    text = msgspec.json.encode(payload).decode()
    old = msgspec.structs.replace(stored, schema=2, payload=text)
    event = desk.kernel.registry.codec.decode(old).event
    assert isinstance(event, OrderPlaced)
    assert event.exchange_for == ""
