"""Goods leave when the order's way says so."""

from __future__ import annotations

from collections.abc import Callable

from cqrs_app.areas.fulfilment.order_way import OrderWay
from cqrs_app.areas.fulfilment.words import RELEASED
from cqrs_app.kernel.commands.handling import Rule, rule
from cqrs_app.kernel.errors import Refusal

WayOf = Callable[[str], OrderWay]

NOT_RELEASED = Refusal("not_released", "Its goods are not reserved, or it is not paid.")


@rule(NOT_RELEASED)
def may_leave(way: OrderWay, order_id: str) -> None:
    """An order that nobody sees through may leave."""
    if way.begun and not way.given_up and way.stand.stage not in RELEASED:
        raise NOT_RELEASED(
            f"Order {order_id} is not ready to ship: {way.stand.sentence} Nothing was changed. "
            f"Look at its fulfilment to see what it waits for."
        )


def released_first(way_of: WayOf) -> Rule:
    """The order's rule on shipping; `way_of` finds an order's way by the order's number."""

    @rule(NOT_RELEASED)
    def check(order: object, order_id: str) -> None:
        may_leave(way_of(order_id), order_id)

    return check
