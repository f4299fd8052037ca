"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from cqrs_app import plugins
from cqrs_app.areas.assignments import ASSIGNMENTS
from cqrs_app.areas.assignments.assignment import Assignment
from cqrs_app.areas.checks import checks_area
from cqrs_app.areas.checks.types import NO_CHECKS, Checks, Reaction
from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.customers.queries import ChooseCustomers, ListRegisteredCustomers
from cqrs_app.areas.desk import desk_area
from cqrs_app.areas.desk.queries.choose_orders import ChooseOrders
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.expenses import EXPENSES
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.queries.lists import ChooseExpenseClaims, ListExpenseClaims
from cqrs_app.areas.fulfilment import events as fulfilment_events
from cqrs_app.areas.fulfilment import fulfilment_area
from cqrs_app.areas.fulfilment.decisions import ProcessOf
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.types import NO_PAYMENTS, Policy
from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory.queries.product_list import ChooseProducts, ListProducts
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders.commands import AttachFile
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.payments import payments_area
from cqrs_app.areas.payments.queries.lists import ListPayments
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel.events.recorded import UTC
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.messages.notation import Notation
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.registry import Area, Registry, events_in
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts import alerts_area
from cqrs_app.platform.alerts import events as alert_events
from cqrs_app.platform.approvals import approvals_area
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.batches import batches_area
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.failures import failures_area
from cqrs_app.platform.failures.as_test import SampleOf
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.failure import FailureStates
from cqrs_app.platform.limits import limits_area
from cqrs_app.platform.limits.within import WithinLimits
from cqrs_app.platform.macros import macros_area
from cqrs_app.platform.notifications import notifications_area
from cqrs_app.platform.operators import operators_area
from cqrs_app.platform.operators.assignees import IsAssignable, only_to_known_assignees
from cqrs_app.platform.queue import queue_area
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.runtime import runtime_area
from cqrs_app.platform.transfer.attachments import attachments_area
from cqrs_app.platform.transfer.exports.rows import PERMISSION as EXPORT
from cqrs_app.platform.transfer.mappings import MAPPINGS
from cqrs_app.platform.transfer.uploads import uploads_area
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.views import views_area
from cqrs_app.platform.webhooks import webhooks_area
from cqrs_app.standards.money import exact

AREAS = (ORDERS, CUSTOMERS, INVENTORY, ASSIGNMENTS, EXPENSES)
"""The shop's areas that need no setting."""

PLUGGED = tuple(each.area for each in plugins.installed())
"""The areas that other packages bring."""
_PAGES = plugins.pages_of(plugins.installed())

MONEY = Notation("currency", exact)
"""Every decimal is an amount, written with the digits of its currency."""

SENDABLE = (
    *(event for area in (*AREAS, *PLUGGED, payments_area()) for event in area.event_types),
    *events_in(fulfilment_events),
    *events_in(alert_events),
    SubjectErased,
)
"""The events that may be sent to other systems: those of the shop's areas (of fulfilment, those
still written), those of alerts, and that a person was erased, which recipients of their data have
to know."""


CHOOSERS: Mapping[str, type[Query]] = MappingProxyType(
    {
        Order.category: ChooseOrders,
        Assignment.category: ChooseOrders,
        Customer.category: ChooseCustomers,
        StockItem.category: ChooseProducts,
        ExpenseClaim.category: ChooseExpenseClaims,
        **{each.aggregate.category: each.choose for each in _PAGES if each.choose},
    }
)
"""Category of streams -> the query that chooses things of this kind for a batch."""

LISTS: Mapping[str, type[Query]] = MappingProxyType(
    {
        "orders": ListOrders,
        "customers": ListRegisteredCustomers,
        "products": ListProducts,
        "payments": ListPayments,
        "expenses": ListExpenseClaims,
        **{each.path: each.list for each in _PAGES},
    }
)
"""The lists of which views can be saved."""


def build_registry(
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = (),
    payment_gateway: str = MANUAL,
    is_uploaded: Callable[[StartImport], bool] = lambda task: False,
    process_of: ProcessOf = lambda order_id: FulfilmentProcess(order_id=order_id),
    policy: Policy = NO_PAYMENTS,
    tasks: Mapping[str, Sequence[BackgroundTask]] = MappingProxyType({}),
    checks: Checks = NO_CHECKS,
    is_file_received: Callable[[AttachFile], bool] = lambda command: False,
    *,
    batch_items: Items | None = None,
    is_assignable: IsAssignable = lambda command: True,
    claims: Claims | None = None,
    runs: Runs | None = None,
    signers: Signers | None = None,
    failure_state: FailureStates = lambda failure_id: None,
    sample_of: SampleOf = lambda failure_id: None,
    failed_commands: FailedCommands | None = None,
    alert_channels: Sequence[str] = (),
    operator_changes: Sequence[Any] = (),
    within_limits: WithinLimits | None = None,
    fulfilment: bool = True,
    zone: ZoneInfo = UTC,
) -> Registry:
    """The registry of all areas.

    Webhooks may reach `webhook_networks` although they are not public. New payments are authorised
    at `payment_gateway`. `is_uploaded` returns whether a file was received, `process_of` an order's
    fulfilment. Fulfilment follows `policy`; with `fulfilment` off it starts and forbids nothing.
    `tasks` are the background tasks by name of the area. `checks` says what is done about commands
    that do not fit other areas. `is_file_received` returns whether an order's attachment was
    received; `batch_items` holds the items of batches, `is_assignable` whether an order can be
    assigned to whom a command names, `claims` and `runs` who works on which order; with `signers`,
    policies ask for approval. `failure_state` and `sample_of` read a stored failure,
    `failed_commands` those that can be sent again. Notices of alerts go to `alert_channels`.
    `operator_changes` change the rows of operators, `within_limits` holds commands within those of
    roles. Business days are those of `zone`.

    Raises ValueError on a duplicate name.
    """
    shop = (
        desk_area(fulfilment=fulfilment),
        *AREAS,
        *PLUGGED,
        payments_area(
            payment_gateway,
            tasks.get("payments", ()),
            references_unique=checks.payments is not Reaction.ACCEPT,
        ),
        fulfilment_area(process_of, policy, enabled=fulfilment, tasks=tasks.get("fulfilment", ())),
        checks_area(process_of, checks),
    )
    areas = (
        *shop,
        batches_area(shop, batch_items, tasks.get("batches", ())),
        views_area(LISTS),
        macros_area(shop),
        queue_area(claims, runs, zone),
        notifications_area(zone, tasks.get("notifications", ())),
        MAPPINGS,
        uploads_area(is_uploaded, tasks.get("uploads", ())),
        attachments_area(is_file_received),
        webhooks_area(SENDABLE, webhook_networks, tasks.get("webhooks", ())),
        approvals_area(shop, signers, tasks.get("approvals", ())),
        limits_area(within_limits),
        failures_area(failure_state, sample_of, tasks.get("failures", ()), failed_commands),
        alerts_area(alert_channels, tasks.get("alerts", ())),
        Area(name="demo", tasks=tasks.get("demo", ())),
        Area(name="exports", permissions=[EXPORT]),
        operators_area(
            [only_to_known_assignees(is_assignable), *operator_changes], tasks.get("operators", ())
        ),
    )
    controlled = [each for area in areas for each in (*area.projections, *area.subscriptions)]
    return Registry((*areas, runtime_area(controlled, zone, tasks.get("runtime", ()))), MONEY, zone)


ROLES = build_registry().roles
"""Role -> permissions, from the least privileged to the most."""
