"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network

from cqrs_app.customers import CUSTOMERS
from cqrs_app.kernel.registry import Registry
from cqrs_app.orders import ORDERS
from cqrs_app.runtime import runtime_area
from cqrs_app.uploads import uploads_area
from cqrs_app.uploads.commands import StartImport
from cqrs_app.webhooks import webhooks_area

AREAS = (ORDERS, CUSTOMERS)
"""The shop's own areas: their events may be sent to other systems."""

SENDABLE = tuple(event for area in AREAS for event in area.events)


def build_registry(
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = (),
    is_uploaded: Callable[[StartImport], bool] = lambda task: False,
) -> Registry:
    """Everything the product can do. Webhooks may reach `webhook_networks` though they are not
    public; `is_uploaded` knows the files that were received.

    Raises ValueError on a doubled name.
    """
    areas = (*AREAS, uploads_area(is_uploaded), webhooks_area(SENDABLE, webhook_networks))
    names = [projection.name for area in areas for projection in area.projections]
    return Registry((*areas, runtime_area(names)))
