"""What each role may do, and the actors that are not people."""

from __future__ import annotations

from types import MappingProxyType

from cqrs_app.kernel.commands.context import Actor

_VIEWER = frozenset(
    {
        "orders.view",
        "customers.view",
        "inventory.view",
        "payments.view",
        "fulfilment.view",
    }
)
_OPERATOR = _VIEWER | {
    "orders.place",
    "orders.approve",
    "orders.hold",
    "orders.release",
    "orders.address",
    "orders.note",
    "orders.ship",
    "orders.deliver",
    "customers.manage",
    "inventory.receive",
    "payments.authorise",
    "payments.capture",
    "commands.view",
}
_SUPERVISOR = _OPERATOR | {
    "orders.reject",
    "orders.cancel",
    "customers.deactivate",
    "credit_notes.record",
    "inventory.adjust",
    "inventory.manage",
    "inventory.reserve",
    "payments.refund",
    "payments.void",
    "payments.record",
    "fulfilment.manage",
    "events.view",
    "system.view",
    "exports.run",
    "imports.run",
    "webhooks.view",
}
# `history.record` is for system operators only: people work under today's rules.
_ADMIN = _SUPERVISOR | {
    "customers.erase",
    "projections.manage",
    "tokens.manage",
    "webhooks.manage",
    # Gateways answer as a system operator; by hand it is an administrator's.
    "payments.answer",
}

ROLES = MappingProxyType(
    {"viewer": _VIEWER, "operator": _OPERATOR, "supervisor": _SUPERVISOR, "admin": _ADMIN}
)
"""Role -> permissions, from the least to the most."""

SYSTEM_NAMES = frozenset(
    {"importer", "sweeper", "demo", "system", "worker", "fulfilment", "webhooks", "gateway"}
)
"""Names of system operators; no person may have one, so that the log cannot mislead."""


def system_actor(name: str, *permissions: str) -> Actor:
    """A process that acts under its own name with these permissions and no more."""
    if name not in SYSTEM_NAMES:
        raise ValueError(f"{name} is not one of the system's own names: see SYSTEM_NAMES")
    return Actor(name, frozenset(permissions))
