"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from cqrs_app.areas.customers.queries import (
    ChooseCustomers,
    CountCustomerViews,
    ListRegisteredCustomers,
)
from cqrs_app.areas.desk import desk_area
from cqrs_app.areas.desk.entries.entry import Entry
from cqrs_app.areas.desk.projections.timeline import Further
from cqrs_app.areas.desk.queries.choose_orders import ChooseOrders
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.expenses import EXPENSES
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.queries.lists import (
    ChooseExpenseClaims,
    CountClaimViews,
    ListExpenseClaims,
)
from cqrs_app.areas.fulfilment import events as fulfilment_events
from cqrs_app.areas.fulfilment import fulfilment_area
from cqrs_app.areas.fulfilment.decisions import ProcessOf
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.types import NO_PAYMENTS, Policy
from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory.queries.product_list import (
    ChooseProducts,
    CountProductViews,
    ListProducts,
)
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders.commands import AttachFile
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.payments import payments_area
from cqrs_app.areas.payments.queries.lists import CountPaymentViews, ListPayments
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.kernel.commands.middleware import Middleware
from cqrs_app.kernel.events.recorded import UTC
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.messages.notation import Notation
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.registry import Area, Registry, events_in
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts import alerts_area
from cqrs_app.platform.alerts import events as alert_events
from cqrs_app.platform.approvals import approvals_area
from cqrs_app.platform.approvals.lists import ChooseApprovalRequests
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.audit import audit_area
from cqrs_app.platform.batches import batches_area
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.demo import demo_area
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
from cqrs_app.platform.retention import retention_area
from cqrs_app.platform.runtime import runtime_area
from cqrs_app.platform.transfer.attachments import attachments_area
from cqrs_app.platform.transfer.mappings import MAPPINGS
from cqrs_app.platform.transfer.schedules import exports_area
from cqrs_app.platform.transfer.uploads import uploads_area
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.views import views_area
from cqrs_app.platform.webhooks import webhooks_area
from cqrs_app.plugins import OrderEntry
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
        ApprovalRequest.category: ChooseApprovalRequests,
        **{each.aggregate.category: each.list for each in _PAGES},
    }
)
"""Category of streams -> the query that chooses things of this kind for a batch, or their list."""

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

VIEW_COUNTS: Mapping[str, type[Query]] = MappingProxyType(
    {
        "customers": CountCustomerViews,
        "products": CountProductViews,
        "payments": CountPaymentViews,
        "expenses": CountClaimViews,
        **{
            path: each
            for plugin in plugins.installed()
            for path, each in plugin.view_counts.items()
        },
    }
)
"""List -> the query that counts what several of its questions find; orders have their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What connects areas with the stores, the settings and each other; by default with nothing.

    Webhooks may reach `webhook_networks` although they are not public. New payments are authorised
    at `payment_gateway`. `is_uploaded` returns whether a file was received, `is_file_received`
    whether an order's attachment was, `process_of` an order's fulfilment. Fulfilment follows
    `policy`; with `fulfilment` off it starts and forbids nothing. `tasks` are the background tasks
    by name of the area. `checks` says what is done about commands that do not fit other areas.
    `vault` seals secrets, `batch_items` holds the items of batches, `is_assignable` whether an
    order can be assigned to whom a command names, `claims` and `runs` who works on which order;
    with `signers`, policies ask for approval. `failure_state` and `sample_of` read a stored
    failure, `failed_commands` those that can be sent again. Notices of alerts go to
    `alert_channels`. `operator_changes` change the rows of operators, `audit` records sensitive
    commands; with `audit_streams` security events are sent on. `within_limits` holds commands
    within those of roles. Business days are those of `zone`.
    """

    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    payment_gateway: str = MANUAL
    is_uploaded: Callable[[StartImport], bool] = lambda task: False
    is_file_received: Callable[[AttachFile], bool] = lambda command: False
    process_of: ProcessOf = lambda order_id: FulfilmentProcess(order_id=order_id)
    policy: Policy = NO_PAYMENTS
    fulfilment: bool = True
    tasks: Mapping[str, Sequence[BackgroundTask]] = field(default_factory=dict)
    checks: Checks = NO_CHECKS
    vault: Vault | None = None
    batch_items: Items | None = None
    is_assignable: IsAssignable = lambda command: True
    claims: Claims | None = None
    runs: Runs | None = None
    signers: Signers | None = None
    failure_state: FailureStates = lambda failure_id: None
    sample_of: SampleOf = lambda failure_id: None
    failed_commands: FailedCommands | None = None
    alert_channels: Sequence[str] = ()
    operator_changes: Sequence[Any] = ()
    audit: Sequence[Middleware] = ()
    audit_streams: bool = False
    within_limits: WithinLimits | None = None
    zone: ZoneInfo = UTC

    def tasks_of(self, area: str) -> Sequence[BackgroundTask]:
        return self.tasks.get(area, ())


UNCONNECTED = Connections()


def build_registry(to: Connections = UNCONNECTED) -> Registry:
    """The registry of all areas, connected. Raises ValueError on a duplicate name."""
    shop = _shop_areas(to)
    approvals = approvals_area(shop, to.signers, to.tasks_of("approvals"))
    work = _work_areas(shop, approvals, to)
    # First, since it records the outcome of what the middleware of others decides.
    audit = audit_area(to.audit, to.tasks_of("audit"), streams=to.audit_streams)
    areas = (audit, *shop, *work, *_exchange_areas(to), approvals, *_oversight_areas(to))
    controlled = [each for area in areas for each in (*area.projections, *area.subscriptions)]
    runtime = runtime_area(controlled, to.zone, to.tasks_of("runtime"))
    return Registry((*areas, runtime), MONEY, to.zone)


def _shop_areas(to: Connections) -> tuple[Area, ...]:
    return (
        desk_area(fulfilment=to.fulfilment, timeline=_timeline()),
        *AREAS,
        *PLUGGED,
        payments_area(
            to.payment_gateway,
            to.tasks_of("payments"),
            references_unique=to.checks.payments is not Reaction.ACCEPT,
        ),
        fulfilment_area(
            to.process_of, to.policy, enabled=to.fulfilment, tasks=to.tasks_of("fulfilment")
        ),
        checks_area(to.process_of, to.checks),
    )


def _work_areas(shop: Sequence[Area], approvals: Area, to: Connections) -> tuple[Area, ...]:
    """How operators go about their work."""
    commands = [each for area in (*shop, approvals) for each in area.handlers]
    labels = {each.__name__: each.declaration.label for each in commands}
    return (
        batches_area((*shop, approvals), to.batch_items, to.tasks_of("batches")),
        views_area(LISTS),
        macros_area(shop),
        queue_area(to.claims, to.runs, to.zone),
        notifications_area(to.zone, labels, to.tasks_of("notifications")),
    )


def _exchange_areas(to: Connections) -> tuple[Area, ...]:
    """What comes from other systems, and goes to them."""
    return (
        MAPPINGS,
        uploads_area(to.is_uploaded, to.tasks_of("uploads")),
        exports_area(LISTS, to.zone, to.tasks_of("exports")),
        attachments_area(to.is_file_received),
        webhooks_area(SENDABLE, to.webhook_networks, to.tasks_of("webhooks"), to.vault),
    )


def _oversight_areas(to: Connections) -> tuple[Area, ...]:
    """Who may do what, and what has gone wrong. Their middleware comes after that of the others."""
    assignable = only_to_known_assignees(to.is_assignable)
    return (
        limits_area(to.within_limits),
        retention_area(to.tasks_of("retention")),
        failures_area(to.failure_state, to.sample_of, to.tasks_of("failures"), to.failed_commands),
        alerts_area(to.alert_channels, to.tasks_of("alerts")),
        demo_area(to.tasks_of("demo")),
        operators_area([assignable, *to.operator_changes], to.tasks_of("operators")),
    )


def _timeline() -> Further:
    """What the timelines of orders say about the events of plug-in areas."""

    def entered(say: Callable[[Any], OrderEntry]) -> Callable[[Any], tuple[str, Entry]]:
        def enter(event: Any) -> tuple[str, Entry]:
            said = say(event)
            return said.order_id, Entry(EntryKind.ORDER, said.label, said.detail)

        return enter

    return {
        event: entered(say)
        for plugin in plugins.installed()
        for event, say in plugin.timeline.items()
    }


ROLES = build_registry().roles
"""Role -> permissions, from the least privileged to the most."""
