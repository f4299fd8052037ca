"""Goods leave when the order's way says so."""

from __future__ import annotations

from collections.abc import Callable

from cqrs_app.areas.fulfilment.order_way import OrderWay
from cqrs_app.areas.fulfilment.words import RELEASED
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refused

WayOf = Callable[[str], OrderWay]


def not_released(way: OrderWay) -> Refused | None:
    """Why the goods may not leave yet; None where they may, or nobody sees to them."""
    if not way.begun or way.given_up or way.stand.stage in RELEASED:
        return None
    return Refused(
        "not_released",
        f"Order {way.order_id} is not ready to ship: {way.stand.sentence} Nothing was changed. "
        f"Look at its fulfilment to see what it waits for.",
    )


def released_first(way_of: WayOf) -> Middleware:
    """History is let in: what has left has left."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, ShipOrder) and call.context.occurred_at is None:
            refusal = not_released(way_of(command.order_id))
            if refusal:
                raise refusal
        return proceed(call)

    return check
