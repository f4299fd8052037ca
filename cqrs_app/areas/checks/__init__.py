"""Rules across areas: what must hold in one area before a command of another is accepted. Checks
import the areas; no area imports them.
"""

from __future__ import annotations

from cqrs_app.areas.checks.assignments import of_an_order
from cqrs_app.areas.checks.customers import customers_match
from cqrs_app.areas.checks.exchanges import exchanges_match
from cqrs_app.areas.checks.payments import ProcessOf, payments_match
from cqrs_app.areas.checks.products import products_match
from cqrs_app.areas.checks.shipping import addressed
from cqrs_app.areas.checks.types import NO_CHECKS, Checks
from cqrs_app.areas.orders.commands import ShipOrder
from cqrs_app.kernel import Area


def checks_area(process_of: ProcessOf, checks: Checks = NO_CHECKS) -> Area:
    """The area. `process_of` finds what was paid for an order. Imported history is not checked."""
    return Area(
        name="checks",
        rules={ShipOrder: addressed} if checks.address_needed else {},
        middleware=[
            of_an_order,
            exchanges_match,
            customers_match(checks),
            products_match(checks),
            payments_match(checks, process_of),
        ],
    )
