"""What an actor whose name is stored may do now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, Row, literal, select

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.roles import (
    NOTHING,
    Roles,
    at_most,
    narrowed,
    permissions_of,
    stored_permissions,
)
from cqrs_app.platform.operators.tables import api_tokens, operators
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX

SHELL = "shell:"
"""The prefix of whoever works on the machine itself: no operator."""

_account = select(
    operators.c.role,
    stored_permissions(operators.c.role),
    literal("").label("chosen"),
    operators.c.disabled_at,
    literal(None).label("expires_at"),
    literal(None).label("maker"),
    literal(None).label("makers"),
)
_token = (
    select(
        api_tokens.c.role,
        stored_permissions(api_tokens.c.role),
        api_tokens.c.permissions.label("chosen"),
        operators.c.disabled_at,
        api_tokens.c.expires_at,
        operators.c.role.label("maker"),
        stored_permissions(operators.c.role).label("makers"),
    )
    .select_from(api_tokens.outerjoin(operators, operators.c.name == api_tokens.c.made_by))
    .where(api_tokens.c.revoked_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Actors:
    """`roles` returns the built-in roles."""

    engine: Engine
    roles: Callable[[], Roles]
    clock: Clock = utc_now

    def now(self, actor: Actor) -> Actor | None:
        """The same with the permissions it has now; None if it may not act any more: its account is
        disabled, or its token was revoked, has expired, or was made by a disabled account.

        A name of neither, such as that of a process of the console, keeps its permissions.
        """
        if actor.name.startswith(SHELL):
            return replace(actor, permissions=NOTHING.union(*self.roles().values()))
        row = self._row(actor.name)
        if row is None:
            return None if actor.name.startswith(ACTOR_PREFIX) else actor
        if row.disabled_at or (row.expires_at and row.expires_at <= self.clock()):
            return None
        rights = permissions_of(self.roles(), row.role, row.stored)
        chosen = narrowed(rights, frozenset(row.chosen.split()))
        makers = permissions_of(self.roles(), row.maker, row.makers) if row.maker else None
        return replace(actor, permissions=at_most(chosen, makers))

    def _row(self, name: str) -> Row[Any] | None:
        if name.startswith(ACTOR_PREFIX):
            found = _token.where(api_tokens.c.name == name.removeprefix(ACTOR_PREFIX))
        else:
            found = _account.where(operators.c.name == name)
        with reader_of(self.engine).connect() as connection:
            return connection.execute(found).first()
