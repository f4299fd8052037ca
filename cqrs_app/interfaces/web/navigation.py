"""The places of the console: who may open them, and the key that opens each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cqrs_app import plugins


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation. `permission` is what its page requires, empty if any operator may
    see it; `key` opens it after "g".
    """

    name: str
    text: str
    endpoint: str
    icon: str
    permission: str
    key: str


_PLUGGED = tuple(
    Entry(
        each.path,
        each.title,
        f"web.{each.path}",
        each.icon,
        each.list.declaration.permission,
        each.key,
    )
    for each in plugins.pages_of(plugins.installed())
)
GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("home", "Home", "web.home", "home", "orders.view", "h"),
            Entry("orders", "Orders", "web.orders", "package", "orders.view", "o"),
            Entry("approvals", "Approvals", "web.approvals", "check", "approvals.view", "v"),
            Entry("batches", "Batches", "web.batches", "circle-check", "batches.run", "a"),
            Entry("notifications", "Notifications", "web.notifications", "info-circle", "", "n"),
        ),
    ),
    (
        "Shop",
        (
            Entry("customers", "Customers", "web.customers", "users", "customers.view", "c"),
            Entry("products", "Products", "web.products", "stack-2", "inventory.view", "p"),
            Entry("payments", "Payments", "web.payments", "receipt", "payments.view", "y"),
            Entry("ledger", "Ledger", "web.ledger", "file-invoice", "payments.view", "e"),
            Entry("expenses", "Expenses", "web.expenses", "note", "expenses.view", "d"),
            Entry(
                "fulfilment",
                "Fulfilment",
                "web.fulfilments",
                "truck-delivery",
                "fulfilment.view",
                "f",
            ),
            Entry("reports", "Reports", "web.reports", "chart-bar", "orders.view", "r"),
        ),
    ),
    ("More", _PLUGGED),
    (
        "Operations",
        (
            Entry("alerts", "Alerts", "web.alerts", "bolt", "alerts.view", "j"),
            Entry("failures", "Failures", "web.failures", "alert-triangle", "failures.view", "x"),
            Entry("system", "System", "web.system", "activity", "system.view", "s"),
            Entry(
                "command-log", "Command log", "web.command_log", "terminal-2", "commands.view", "l"
            ),
            Entry("imports", "Imports", "web.imports", "archive", "imports.run", "i"),
            Entry(
                "scheduled-exports",
                "Scheduled exports",
                "web.scheduled_exports",
                "clock",
                "exports.run",
                "z",
            ),
        ),
    ),
    (
        "Administration",
        (
            Entry("operators", "Operators", "web.operators", "user", "operators.manage", "u"),
            Entry("audit", "Audit", "web.audit", "shield-check", "audit.view", "k"),
            Entry("tokens", "API tokens", "web.tokens", "lock", "tokens.manage", "t"),
            Entry("webhooks", "Webhooks", "web.webhooks", "webhook", "webhooks.view", "w"),
            Entry("catalogue", "Catalogue", "web.catalogue", "book", "", "b"),
        ),
    ),
)
"""The entries below their titles; the first have none."""
ENTRIES = tuple(entry for _, entries in GROUPS for entry in entries)


def open_to(permissions: Collection[str], entries: Sequence[Entry]) -> list[Entry]:
    """The entries whose pages somebody with these permissions may see."""
    return [each for each in entries if not each.permission or each.permission in permissions]
