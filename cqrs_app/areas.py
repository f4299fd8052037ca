"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from cqrs_app.kernel.registry import Registry
from cqrs_app.orders import ORDERS
from cqrs_app.payments import EVENTS as PAYMENT_EVENTS
from cqrs_app.payments import payments_area
from cqrs_app.payments.words import MANUAL
from cqrs_app.runtime import runtime_area
from cqrs_app.webhooks import webhooks_area

AREAS = (ORDERS,)
"""The shop's own areas that need no setting."""

SENDABLE = (*(event for area in AREAS for event in area.events), *PAYMENT_EVENTS)
"""The events of the shop's own areas, which may be sent to other systems."""


def build_registry(
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = (), payment_gateway: str = MANUAL
) -> Registry:
    """Everything the product can do; webhooks may reach `webhook_networks` though they are not
    public, and new payments are authorised at `payment_gateway`. Raises ValueError on a doubled
    name."""
    areas = (*AREAS, payments_area(payment_gateway), webhooks_area(SENDABLE, webhook_networks))
    names = [projection.name for area in areas for projection in area.projections]
    return Registry((*areas, runtime_area(names)))
