"""The actors that are not people, and a permission that no command or query asks for."""

from __future__ import annotations

from collections.abc import Mapping

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.permissions import Permission, Role

Roles = Mapping[str, frozenset[str]]
"""Role -> permissions, from the least to the most: `Registry.roles`."""

MANAGE_TOKENS = Permission("tokens.manage", Role.ADMIN)

SYSTEM_NAMES = frozenset(
    {"importer", "sweeper", "demo", "system", "worker", "fulfilment", "webhooks", "gateway"}
)
"""Names of system operators; no person may have one, so that the log cannot mislead."""


def system_actor(name: str, *permissions: str) -> Actor:
    """A process that acts under its own name with these permissions and no more."""
    if name not in SYSTEM_NAMES:
        raise ValueError(f"{name} is not one of the system's own names: see SYSTEM_NAMES")
    return Actor(name, frozenset(permissions))
