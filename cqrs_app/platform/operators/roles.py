"""System actors, and the permission that no command or query requires."""

from __future__ import annotations

from collections.abc import Mapping

from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.permissions import Permission, Role

Roles = Mapping[str, frozenset[str]]
"""Role -> permissions, from the least privileged to the most: `Registry.roles`."""

MANAGE_TOKENS = Permission("tokens.manage", Role.ADMIN)

SYSTEM_NAMES = frozenset(
    {
        IMPORTER,
        "sweeper",
        "demo",
        "system",
        "worker",
        "fulfilment",
        "webhooks",
        "gateway",
        "failures",
        "approvals",
        "alerts",
    }
)
"""Names of system actors. No person may have one, so that the log is unambiguous."""


def system_actor(name: str, *permissions: str) -> Actor:
    """A process that acts under its own name with exactly these permissions."""
    if name not in SYSTEM_NAMES:
        raise ValueError(f"{name} is not one of the system's own names: see SYSTEM_NAMES")
    return Actor(name, frozenset(permissions))
