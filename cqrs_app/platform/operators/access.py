"""Who may do what, as a list that can be exported, with its digest."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsAccess:
    """`permissions` are what the operator may do; none if disabled."""

    name: str
    role: str
    team: str
    enabled: bool
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what."""

    people: Sequence[PersonsAccess]

    @property
    def permissions(self) -> list[str]:
        """Those that anybody has."""
        return sorted(NOTHING.union(*(each.permissions for each in self.people)) - {LIMITED})

    def rows(self) -> Iterator[list[str]]:
        """A table: a row per permission, a column per operator."""
        yield ["permission", *(each.name for each in self.people)]
        yield ["(role)", *(each.role for each in self.people)]
        yield ["(team)", *(each.team for each in self.people)]
        yield ["(state)", *("enabled" if each.enabled else "disabled" for each in self.people)]
        yield ["(limits)", *("yes" if LIMITED in each.permissions else "" for each in self.people)]
        for name in self.permissions:
            yield [name, *("yes" if name in each.permissions else "" for each in self.people)]

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
            )
        )
