"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.fulfilment import fulfilment_area
from cqrs_app.areas.fulfilment.decisions import ProcessOf
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.payments import EVENTS as PAYMENT_EVENTS
from cqrs_app.areas.payments import payments_area
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.runtime import runtime_area
from cqrs_app.platform.transfer.uploads import uploads_area
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.webhooks import webhooks_area

AREAS = (ORDERS, CUSTOMERS, INVENTORY)
"""The shop's own areas that need no setting."""

SENDABLE = (*(event for area in AREAS for event in area.events), *PAYMENT_EVENTS)
"""The events of the shop's own areas, which may be sent to other systems."""


def build_registry(
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = (),
    payment_gateway: str = MANUAL,
    is_uploaded: Callable[[StartImport], bool] = lambda task: False,
    process_of: ProcessOf = lambda order_id: FulfilmentProcess(order_id=order_id),
    *,
    fulfilment: bool = True,
) -> Registry:
    """Everything the product can do. Webhooks may reach `webhook_networks` though they are not
    public; new payments are authorised at `payment_gateway`; `is_uploaded` knows the files that
    were received, `process_of` an order's fulfilment; with `fulfilment` off it forbids nothing.

    Raises ValueError on a doubled name.
    """
    areas = (
        *AREAS,
        payments_area(payment_gateway),
        fulfilment_area(process_of, enabled=fulfilment),
        uploads_area(is_uploaded),
        webhooks_area(SENDABLE, webhook_networks),
    )
    names = [projection.name for area in areas for projection in area.projections]
    return Registry((*areas, runtime_area(names)))
