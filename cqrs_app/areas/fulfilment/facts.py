"""From what happened elsewhere to what an order's way is told of it. Pure."""

from __future__ import annotations

from typing import Any

from cqrs_app.areas.fulfilment.commands import NoteOrder, NotePayment
from cqrs_app.areas.fulfilment.types import Sent
from cqrs_app.areas.inventory import events as stock
from cqrs_app.areas.orders import events as orders
from cqrs_app.areas.payments import events as payments
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command

OF_ORDERS = frozenset(
    {
        orders.OrderHeld,
        orders.OrderReleased,
        orders.OrderRejected,
        orders.OrderCancelled,
        orders.OrderShipped,
        orders.OrderDelivered,
    }
)
OF_PAYMENTS = frozenset(
    {
        payments.PaymentAuthorisationRequested,
        payments.PaymentAuthorised,
        payments.PaymentCaptureRequested,
        payments.PaymentCaptured,
        payments.PaymentVoidPlanned,
        payments.PaymentVoidRequested,
        payments.PaymentVoided,
        payments.PaymentRefundRequested,
        payments.PaymentRefunded,
        payments.PaymentRecorded,
        payments.PaymentDeclined,
    }
)
ARRIVALS = frozenset(
    {
        stock.ProductRestored,
        stock.StockReceived,
        stock.StockAdjusted,
        stock.StockReleased,
    }
)
"""After these there may be more of a product than before."""


def note_of(recorded: Recorded) -> Command | None:
    """What is to be told of an event of an order or a payment; None where it is of neither."""
    event: Any = recorded.event
    if type(event) in OF_ORDERS:
        lines = event.lines if isinstance(event, orders.OrderShipped) else ()
        return NoteOrder(
            order_id=event.order_id,
            fact=type(event).__name__,
            by=recorded.stored.operator,
            sent=tuple(Sent(line_no=each.line_no, quantity=each.quantity) for each in lines),
        )
    if type(event) in OF_PAYMENTS:
        return NotePayment(
            order_id=event.order_id,
            payment_id=event.payment_id,
            fact=type(event).__name__,
            **_said(event),
        )
    return None


def _said(event: Any) -> dict[str, Any]:
    names = ("asked", "amount", "currency", "sentence")
    return {name: getattr(event, name) for name in names if hasattr(event, name)}
