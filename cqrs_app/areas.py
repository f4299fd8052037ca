"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from cqrs_app.inventory import INVENTORY
from cqrs_app.kernel.registry import Registry
from cqrs_app.orders import ORDERS
from cqrs_app.runtime import runtime_area
from cqrs_app.webhooks import webhooks_area

AREAS = (ORDERS, INVENTORY)
"""The shop's own areas: their events may be sent to other systems."""

SENDABLE = tuple(event for area in AREAS for event in area.events)


def build_registry(webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()) -> Registry:
    """Everything the product can do; webhooks may reach `webhook_networks` though they are not
    public. Raises ValueError on a doubled name."""
    areas = (*AREAS, webhooks_area(SENDABLE, webhook_networks))
    names = [projection.name for area in areas for projection in area.projections]
    return Registry((*areas, runtime_area(names)))
