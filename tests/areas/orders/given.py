"""Orders, and events that may have happened to them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.testing import Scenarios

NOON = datetime(2010, 12, 1, 12, 3, tzinfo=UTC)
ON = "on 1 Dec 2010 at 12:03 UTC"

given = Scenarios(ORDERS, at=NOON).given


def order(*events: Event) -> Order:
    return given(*events).state(Order)


def line(sku: str = "85123A", quantity: int = 6, price: str = "2.55", what: str = "") -> OrderLine:
    return OrderLine(sku=sku, description=what, quantity=quantity, unit_price=Decimal(price))


def place(order_id: str = "536365", *lines: OrderLine, **rest: Any) -> do.PlaceOrder:
    values = {"country": "United Kingdom", "currency": "GBP", "customer_id": "17850"} | rest
    return do.PlaceOrder(
        order_id=order_id, lines=lines or (line(), line("71053", 2, "3.39")), **values
    )


PLACED = was.OrderPlaced(
    order_id="536365",
    customer_id="17850",
    customer_name="",
    country="United Kingdom",
    shipping_address=was.Address(),
    currency="GBP",
    lines=(
        was.OrderedLine(sku="85123A", description="", quantity=6, unit_price=Decimal("2.55")),
        was.OrderedLine(sku="71053", description="", quantity=2, unit_price=Decimal("3.39")),
    ),
    total=Decimal("22.08"),
)
APPROVED = was.OrderApproved(order_id="536365")
HELD = was.OrderHeld(order_id="536365", reason="payment_check", note="")
DELIVERED = was.OrderDelivered(order_id="536365")
REJECTED = was.OrderRejected(
    order_id="536365", reason="no", customer_id="17850", currency="GBP", total=Decimal("22.08")
)
REST_CANCELLED = was.RemainingItemsCancelled(
    order_id="536365",
    lines=(
        was.CancelledLine(line_no=1, quantity=2),
        was.CancelledLine(line_no=2, quantity=2),
    ),
    reason="out_of_stock",
    note="",
    customer_id="17850",
    currency="GBP",
    amount=Decimal("11.88"),
)
"""After PART_SHIPPED."""
CANCELLED = was.OrderCancelled(
    order_id="536365",
    reason="duplicate",
    note="",
    customer_id="17850",
    currency="GBP",
    total=Decimal("22.08"),
)


def released(status: str) -> was.OrderReleased:
    return was.OrderReleased(order_id="536365", status=status)


def shipped(*lines: tuple[int, int], complete: bool) -> was.OrderShipped:
    return was.OrderShipped(
        order_id="536365",
        lines=tuple(was.SentLine(line_no=number, quantity=quantity) for number, quantity in lines),
        carrier="DHL",
        tracking="JD014",
        complete=complete,
    )


ALL_SHIPPED = shipped((1, 6), (2, 2), complete=True)
PART_SHIPPED = shipped((1, 4), complete=False)


def terms(line_no: int, quantity: int, price: str, discount: str = "0.00") -> was.LineTerms:
    return was.LineTerms(
        line_no=line_no,
        quantity=quantity,
        unit_price=Decimal(price),
        discount=Decimal(discount),
    )


DOUBLED = was.OrderLinesChanged(
    order_id="536365",
    customer_id="17850",
    currency="GBP",
    lines=(
        terms(1, 12, "2.55"),
        terms(2, 0, "3.39"),
    ),
    before=(
        terms(1, 6, "2.55"),
        terms(2, 2, "3.39"),
    ),
    added=(was.OrderedLine(sku="POST", description="", quantity=1, unit_price=Decimal("5.00")),),
    difference=Decimal("13.52"),
    total=Decimal("35.60"),
)
"""After PLACED: twice as many of the first line, none of the second, and postage."""


def requested(return_id: str, *lines: tuple[int, int]) -> was.ReturnRequested:
    return was.ReturnRequested(
        order_id="536365",
        return_id=return_id,
        lines=tuple(
            was.LineToReturn(line_no=number, quantity=quantity) for number, quantity in lines
        ),
        reason="damaged",
        note="",
    )


def received(
    return_id: str, *lines: tuple[int, int, int], amount: str, complete: bool = False
) -> was.ReturnReceived:
    return was.ReturnReceived(
        order_id="536365",
        return_id=return_id,
        lines=tuple(
            was.LineReceived(line_no=number, restocked=restocked, written_off=written_off)
            for number, restocked, written_off in lines
        ),
        note="",
        currency="GBP",
        amount=Decimal(amount),
        complete=complete,
    )
