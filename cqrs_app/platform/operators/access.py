"""Who may do what, operators and API tokens, as a list that can be exported, with its digest."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.operators.roles import LIMITED, NOTHING, KnownRoles
from cqrs_app.platform.operators.tables import operators
from cqrs_app.platform.operators.tokens import Token, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsAccess:
    """`permissions` are what the operator or the API token may do; none if disabled. `made_by` is
    empty for an operator."""

    name: str
    role: str
    team: str
    enabled: bool
    permissions: frozenset[str]
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what."""

    people: Sequence[PersonsAccess]
    tokens: Sequence[PersonsAccess] = ()

    @property
    def all(self) -> Sequence[PersonsAccess]:
        """The operators, then the API tokens."""
        return (*self.people, *self.tokens)

    @property
    def permissions(self) -> list[str]:
        """Those that anybody has."""
        return sorted(NOTHING.union(*(each.permissions for each in self.all)) - {LIMITED})

    def rows(self) -> Iterator[list[str]]:
        """A table: a row per permission, a column per operator and per API token that works."""
        yield ["permission", *(each.name for each in self.all)]
        yield ["(role)", *(each.role for each in self.all)]
        yield ["(team)", *(each.team for each in self.all)]
        yield ["(state)", *("enabled" if each.enabled else "disabled" for each in self.all)]
        yield ["(made by)", *(each.made_by for each in self.all)]
        yield ["(limits)", *("yes" if LIMITED in each.permissions else "" for each in self.all)]
        for name in self.permissions:
            yield [name, *("yes" if name in each.permissions else "" for each in self.all)]

    def csv(self) -> str:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(self.rows())
        return text.getvalue()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.csv().encode()).hexdigest()


class AccessOf:
    """Reads it from the write store."""

    def __init__(self, engine: Engine, roles: KnownRoles) -> None:
        self._reader = reader_of(engine)
        self._roles = roles
        self._tokens = Tokens(engine, roles.built_in)

    def now(self) -> Access:
        known = self._roles.all()
        columns = (operators.c[name] for name in ("name", "role", "team", "disabled_at"))
        with self._reader.connect() as connection:
            rows = connection.execute(select(*columns).order_by(operators.c.name)).all()
        return Access(
            tuple(
                PersonsAccess(
                    name=row.name,
                    role=row.role,
                    team=row.team,
                    enabled=row.disabled_at is None,
                    permissions=known.get(row.role, NOTHING)
                    if row.disabled_at is None
                    else NOTHING,
                )
                for row in rows
            ),
            tuple(map(_of_token, self._tokens.list(working=True))),
        )


def _of_token(token: Token) -> PersonsAccess:
    return PersonsAccess(
        name=token.actor.name,
        role=token.role,
        team="",
        enabled=True,
        permissions=token.permissions,
        made_by=token.made_by,
    )
