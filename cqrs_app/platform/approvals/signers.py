"""The people behind accounts and tokens, as they are in the write store now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from cqrs_app.kernel.commands.context import ActorNow
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.commands import SIGN
from cqrs_app.platform.approvals.signer import Signer, least
from cqrs_app.platform.approvals.tables import approval_delegations
from cqrs_app.platform.operators.roles import counts_as, stored_permissions
from cqrs_app.platform.operators.tables import api_tokens, operators
from cqrs_app.platform.operators.tokens import ACTOR_PREFIX

_DELEGATIONS = approval_delegations.c
_WORKING = select(
    operators.c.name,
    counts_as(operators.c.role).label("role"),
    operators.c.team,
    stored_permissions(operators.c.role),
).where(operators.c.disabled_at.is_(None))


def signers_in(connection: Connection) -> list[Signer]:
    """Every operator whose account works and whose role may sign, with those who let them sign."""
    alone = {
        row.name: Signer(row.name, row.name, row.role, row.team)
        for row in connection.execute(_WORKING)
        if may_sign(row.role, row.stored)
    }
    found = select(_DELEGATIONS.operator, _DELEGATIONS.delegate)
    lets = defaultdict[str, list[Signer]](list)
    for row in connection.execute(found.where(_DELEGATIONS.until > datetime.now(UTC))):
        if row.operator in alone:
            lets[row.delegate].append(alone[row.operator])
    return [replace(each, represents=tuple(lets[name])) for name, each in alone.items()]


def may_sign(role: str, stored: str | None) -> bool:
    """Whether a role may sign: `stored` are the permissions of a custom one that counts as it."""
    if stored is not None:
        return SIGN in stored.split()
    return least(role, str(SIGN.role)) == SIGN.role


class Signers:
    """Reads the write store. `actor_now` finds what an actor may do now."""

    def __init__(self, engine: Engine, actor_now: ActorNow) -> None:
        self._reader = reader_of(engine)
        self.actor_now = actor_now

    def connect(self) -> Connection:
        """A connection that reads the write store."""
        return self._reader.connect()

    def of(self, name: str) -> Signer:
        """Who an actor of this name is. A token acts for the operator who made it, with its own
        role."""
        if name.startswith(ACTOR_PREFIX):
            found = (
                select(counts_as(api_tokens.c.role).label("role"), api_tokens.c.made_by)
                .where(api_tokens.c.name == name.removeprefix(ACTOR_PREFIX))
                .order_by(api_tokens.c.created_at.desc())
                .limit(1)
            )
            with self._reader.connect() as connection:
                row = connection.execute(found).first()
            return Signer(name, row.made_by, row.role) if row else Signer(name, name, "")
        with self._reader.connect() as connection:
            account = connection.execute(_WORKING.where(operators.c.name == name)).first()
        return Signer(name, name, account.role, account.team) if account else Signer(name, name, "")

    def signing(self, name: str) -> Signer:
        """The same, as a signer: by a token nobody signs who could not sign without it, or for
        somebody else. `represents` may be a moment old."""
        signer = next((each for each in self.all() if each.name == name), None)
        if signer is not None:
            return signer
        signer = self.of(name)
        account = select(
            counts_as(operators.c.role).label("role"),
            operators.c.team,
            operators.c.disabled_at,
            stored_permissions(operators.c.role),
        ).where(operators.c.name == signer.person)
        with self._reader.connect() as connection:
            maker = connection.execute(account).first()
        if maker is None:
            return signer
        able = maker.disabled_at is None and may_sign(maker.role, maker.stored)
        role = least(signer.role, maker.role) if able else ""
        return replace(signer, role=role, team=maker.team)

    def all(self) -> list[Signer]:
        """Every operator who may sign: see `signers_in`."""
        with self._reader.connect() as connection:
            return signers_in(connection)
