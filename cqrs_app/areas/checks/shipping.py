"""An order needs an address before it can be shipped."""

from __future__ import annotations

from typing import Any

from cqrs_app.kernel import Refusal, rule

ADDRESS_NEEDED = Refusal("address_needed", "There is no address to ship to.")


@rule(ADDRESS_NEEDED)
def addressed(order: Any, order_id: str) -> None:
    """Applied when an order is shipped and when that action is offered; not to imported history."""
    if order.status is not None and not order.addressed:
        raise ADDRESS_NEEDED.because(
            f"Order {order_id} has no shipping address.",
            "Write one first: street, city and country.",
        )
