"""The lines of a new order must name products that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cqrs_app.areas.checks.types import Checks, Misfit, Reaction, react
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.rules import UNKNOWN_PRODUCT
from cqrs_app.kernel.effects import Call, Middleware, Proceed, Receipt


def products_match(checks: Checks) -> Middleware:
    """Checks new orders. No look-up is made where the shop accepts any SKU."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        live = call.context.occurred_at is None
        if live and checks.unknown_products is not Reaction.ACCEPT:
            react(call, checks.unknown_products, _unknown(call))
        return proceed(call)

    return check


def _unknown(call: Call) -> Iterator[Misfit]:
    command: Any = call.command
    if isinstance(command, PlaceOrder):
        streams = {line.sku: f"product-{line.sku}" for line in command.lines}
        added = call.existing(streams.values())
        for sku, stream in streams.items():
            if stream not in added:
                yield Misfit(
                    UNKNOWN_PRODUCT,
                    f"There is no product {sku}.",
                    "Choose another SKU, or add the product first.",
                )
