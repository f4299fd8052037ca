"""Roles, built in and the shop's own; system actors; permissions that no message requires."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import ColumnElement, Engine, and_, func, select

from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.tables import api_tokens, operator_roles, operators

Roles = Mapping[str, frozenset[str]]
"""Role -> permissions, from the least privileged to the most: `Registry.roles`."""

MANAGE_TOKENS = Permission("tokens.manage", Role.ADMIN)
SCIM = Permission("scim.use", Role.ADMIN)
"""To provision operators and groups: see docs/operators.md."""
LIMITED = Permission("limited", None)
"""Marks who has a role with limits, which are looked up for them alone."""
NOTHING = frozenset[str]()

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


def permissions_of(built_in: Roles, role: str, stored: str | None) -> frozenset[str]:
    """The permissions of a role; `stored` are those of a custom one, as in its row."""
    found = built_in.get(role)
    return found if found is not None else _parsed(stored or "")


@lru_cache(1_024)
def _parsed(stored: str) -> frozenset[str]:
    """Read with each request, hence kept."""
    return frozenset(stored.split())


def narrowed(rights: frozenset[str], chosen: frozenset[str]) -> frozenset[str]:
    """The chosen ones of these permissions, all if none is chosen; limits stay."""
    return rights & (chosen | {LIMITED}) if chosen else rights


def at_most(rights: frozenset[str], makers: frozenset[str] | None) -> frozenset[str]:
    """The permissions of a token that the operator who made it has now: `makers`, None where no
    operator made it. The limits of either apply to it."""
    if makers is None:
        return rights
    return (rights & makers) | ({LIMITED} & (rights | makers))


def counts_as(role: ColumnElement[str]) -> ColumnElement[str]:
    """The built-in role that the role in this column counts as."""
    base = select(operator_roles.c.based_on).where(operator_roles.c.name == role).scalar_subquery()
    return func.coalesce(base, role)


def stored_permissions(role: ColumnElement[str]) -> ColumnElement[str]:
    """The permissions of the custom role in this column, as `stored`; NULL for a built-in one."""
    stored = select(operator_roles.c.permissions).where(operator_roles.c.name == role)
    return stored.scalar_subquery().label("stored")


class KnownRoles:
    """All roles, as they are in the write store now."""

    def __init__(self, engine: Engine, built_in: Roles) -> None:
        self._reader = reader_of(engine)
        self.built_in = built_in

    def all(self) -> dict[str, frozenset[str]]:
        """Role -> permissions: the built-in ones from the least privileged to the most, then the
        others by name."""
        columns = operator_roles.c.name, operator_roles.c.permissions
        with self._reader.connect() as connection:
            rows = connection.execute(select(*columns).order_by(operator_roles.c.name)).all()
        return {**self.built_in, **{name: _parsed(stored) for name, stored in rows}}

    def holders(self, role: str) -> tuple[str, ...]:
        """The operators and the working tokens that have this role."""
        people = select(operators.c.name).where(operators.c.role == role)
        tokens = select(api_tokens.c.name).where(
            and_(api_tokens.c.role == role, api_tokens.c.revoked_at.is_(None))
        )
        with self._reader.connect() as connection:
            names = connection.execute(people.order_by(operators.c.name)).scalars().all()
            programs = connection.execute(tokens.order_by(api_tokens.c.name)).scalars().all()
        return (*names, *(f"token {name}" for name in programs))
