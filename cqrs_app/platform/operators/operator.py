"""An operator of the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.platform.operators.preferences import Preferences, preferences_from
from cqrs_app.platform.operators.roles import Roles, permissions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`permissions` are those of the role, `counts_as` the built-in role that it is based on; times
    are UTC; `disabled_at` is None if the account is enabled; `timezone` is the zone in which the
    operator sees times, empty for the shop's; `team` is empty for none; `must_change_password`:
    before anything else."""

    name: str
    display_name: str
    role: str
    counts_as: str
    permissions: frozenset[str]
    disabled_at: datetime | None
    created_at: datetime
    timezone: str
    team: str
    preferences: Preferences
    must_change_password: bool
    has_second_factor: bool

    @property
    def actor(self) -> Actor:
        """The actor for the buses: the name with the role's permissions."""
        return Actor(self.name, self.permissions)

    def may(self, permission: str) -> bool:
        return self.actor.may(permission)

    @classmethod
    def from_row(cls, row: Any, roles: Roles) -> Operator:
        return cls(
            name=row.name,
            display_name=row.display_name,
            role=row.role,
            permissions=permissions_of(roles, row.role, row.role_permissions),
            counts_as=row.based_on or row.role,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
            timezone=row.timezone,
            team=row.team,
            preferences=preferences_from(row.preferences),
            must_change_password=row.must_change_password,
            has_second_factor=bool(row.has_second_factor),
        )
