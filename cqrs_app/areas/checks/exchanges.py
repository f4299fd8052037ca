"""An exchange order must name an order with a return: received, or still expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.events import ReturnCancelled, ReturnRequested
from cqrs_app.areas.orders.rules import NO_SUCH_ORDER, NOTHING_TO_EXCHANGE
from cqrs_app.kernel import Event
from cqrs_app.kernel.effects import Call, Proceed, Receipt


def exchanges_match(call: Call, proceed: Proceed) -> Receipt:
    """Refuses an exchange for an order that does not exist, or that has no return."""
    command: Any = call.command
    live = call.context.occurred_at is None
    if live and isinstance(command, PlaceOrder) and command.exchange_for:
        order_id = command.exchange_for
        history = list(call.past(f"order-{order_id}"))
        if not history:
            raise NO_SUCH_ORDER.because(f"There is no order {order_id}.", "Check the number.")
        if not _returns(history):
            raise NOTHING_TO_EXCHANGE.because(
                f"Order {order_id} has no return.", "Request a return of its items first."
            )
    return proceed(call)


def _returns(history: Iterable[Event]) -> set[str]:
    """The returns that were not cancelled."""
    found = set()
    for event in history:
        if isinstance(event, ReturnRequested):
            found.add(event.return_id)
        elif isinstance(event, ReturnCancelled):
            found.discard(event.return_id)
    return found
