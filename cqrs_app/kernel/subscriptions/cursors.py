"""The cursor of each subscription, stored beside its rows so that both move together."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.engines import insert_into, placeholder_of, raw_connection
from cqrs_app.kernel.subscriptions.subscription import Overtaken, Store

BUILDING = "building"
"""The state of a subscription whose first run through the log is somebody else's work."""

_REACHED = """
SELECT subscription, position, version, zone, state, revision, (
    SELECT count(*) FROM {parked} WHERE {parked}.subscription = {cursors}.subscription
)
FROM {cursors} WHERE subscription IN ({placeholders})
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` and `hash` are those of the last event processed; `hash` is None if it is not
    known. `state` is running, paused, building, or failed or rebuilding (with `error`).
    `revision` is a new number after any change. `since` is where the log ended when the cursor was
    created. `parked` counts the parked events."""

    subscription: str
    position: int
    hash: bytes | None
    version: int
    zone: str
    state: str
    applied: int
    revision: int
    advanced_at: datetime | None
    error: str | None
    since: int
    parked: int


@dataclass(frozen=True, slots=True)
class Reached:
    """The part of a cursor that tells how fresh its projection is, and whether its rows have
    changed since an earlier answer (`revision`)."""

    projection: str
    position: int
    version: int
    zone: str
    state: str
    revision: int
    parked: int


class Cursors:
    """The cursors of one store. Statements are built once."""

    def __init__(self, cursors: Table, parked: Table) -> None:
        self._table = cursors
        self._parked = parked
        here = self._here = cursors.c.subscription == bindparam("name")
        count = select(func.count()).where(parked.c.subscription == cursors.c.subscription)
        columns = [cursors.c[name] for name in Cursor.__annotations__ if name != "parked"]
        self._all: Select[Any] = select(*columns, count.scalar_subquery()).order_by(
            cursors.c.subscription
        )
        self._named = self._all.where(
            cursors.c.subscription.in_(bindparam("names", expanding=True))
        )
        self._locked = self._all.where(here).with_for_update(of=cursors)
        self._free = (
            select(cursors.c.subscription, cursors.c.revision)
            .where(cursors.c.subscription.in_(bindparam("names", expanding=True)))
            .with_for_update(skip_locked=True)
        )
        self._move = (
            update(cursors)
            .where(here, cursors.c.revision == bindparam("seen"))
            .values(
                position=bindparam("to"),
                hash=bindparam("last"),
                applied=cursors.c.applied + bindparam("taken"),
                revision=bindparam("new"),
                advanced_at=bindparam("at"),
                # Building ends when it is compared: see projections/building.py.
                state=case((cursors.c.state == BUILDING, BUILDING), else_="running"),
                error=None,
            )
        )

    def ensure(
        self, connection: Connection, versions: dict[str, int], zone: str = "UTC", head: int = 0
    ) -> None:
        """Create the missing cursors, at the beginning of a log that ends at `head` now."""
        missing = versions.keys() - self.read(connection, versions)
        if missing:
            common = {"position": 0, "state": "running", "applied": 0, "zone": zone, "since": head}
            rows = [{"subscription": name, "version": versions[name], **common} for name in missing]
            connection.execute(insert_into(connection, self._table).on_conflict_do_nothing(), rows)

    def delete(self, connection: Connection, name: str) -> None:
        connection.execute(delete(self._table).where(self._here), {"name": name})

    def exchange(self, connection: Connection, one: Cursor, other: Cursor) -> None:
        """Give each of two locked cursors what the other has, when their rows are exchanged."""
        for name, cursor in ((one.subscription, other), (other.subscription, one)):
            values = {each: getattr(cursor, each) for each in _EXCHANGED}
            self._set(connection, name, **values)

    def all(self, connection: Connection) -> list[Cursor]:
        """Every cursor, ordered by name."""
        return [Cursor(*row) for row in connection.execute(self._all)]

    def read(self, connection: Connection, names: Iterable[str]) -> dict[str, Cursor]:
        rows = connection.execute(self._named, {"names": list(names)})
        return {row.subscription: Cursor(*row) for row in rows}

    def reached(self, engine: Engine, names: Collection[str]) -> list[Reached]:
        """How far these projections are, read outside any transaction. Every answer needs it, so it
        bypasses SQLAlchemy."""
        if not names:
            return []
        placeholders = ", ".join([placeholder_of(engine)] * len(names))
        statement = _REACHED.format(
            placeholders=placeholders, cursors=self._table.name, parked=self._parked.name
        )
        with raw_connection(engine) as driver:
            rows = driver.execute(statement, tuple(names)).fetchall()
        return [Reached(*row) for row in rows]

    def lock(self, connection: Connection, name: str) -> Cursor | None:
        """The cursor, locked until the transaction ends. On SQLite the transaction itself is the
        lock."""
        row = connection.execute(self._locked, {"name": name}).first()
        return Cursor(*row) if row else None

    def move(
        self,
        connection: Connection,
        old: Cursor,
        position: int,
        last: bytes,
        taken: int,
        at: datetime,
    ) -> None:
        """Compare-and-set. Raises Overtaken if another runner has moved the cursor or its state has
        changed. Nobody else can move it until the transaction ends."""
        was = {"name": old.subscription, "seen": old.revision, "new": new_revision()}
        to = {"to": position, "last": last, "taken": taken, "at": at}
        if connection.execute(self._move, was | to).rowcount != 1:
            raise Overtaken(old.subscription)

    def move_unlocked(
        self,
        connection: Connection,
        old: Sequence[Cursor],
        position: int,
        last: bytes,
        taken: int,
        at: datetime,
    ) -> set[str]:
        """Move those that nobody else has moved or is moving; returns their names."""
        names = [each.subscription for each in old]
        rows = connection.execute(self._free, {"names": names})
        seen: dict[str, int] = {row.subscription: row.revision for row in rows}
        unmoved = [each for each in old if seen.get(each.subscription) == each.revision]
        if unmoved:
            to = {"to": position, "last": last, "taken": taken, "at": at}
            moves = [
                {"name": each.subscription, "seen": each.revision, "new": new_revision()} | to
                for each in unmoved
            ]
            connection.execute(self._move, moves)
        return {each.subscription for each in unmoved}

    def repaired(self, connection: Connection, name: str) -> None:
        """Record that parked events were processed or left out: what was read before is out of
        date."""
        self._set(connection, name)

    def set_state(
        self, connection: Connection, name: str, state: str, error: str | None = None
    ) -> None:
        self._set(connection, name, state=state, error=error)

    def accept(self, connection: Connection, name: str, head: int) -> None:
        """Set it running, at the end of this log at most, whichever event is at its position."""
        cursor = self.lock(connection, name)
        if cursor is not None:
            position = min(cursor.position, head)
            self._set(connection, name, state="running", error=None, position=position, hash=None)

    def rebuilt(
        self,
        connection: Connection,
        name: str,
        position: int,
        last: bytes | None,
        version: int,
        at: datetime,
        zone: str = "UTC",
    ) -> None:
        """Set the cursor after a full replay."""
        values: dict[str, object] = {"position": position, "hash": last, "version": version}
        values |= {"applied": position}
        values |= {"state": "running", "advanced_at": at, "error": None, "zone": zone}
        self._set(connection, name, **values)

    def _set(self, connection: Connection, name: str, **values: object) -> None:
        changed = values | {"revision": new_revision()}
        mine = update(self._table).where(self._here)
        connection.execute(mine.values(changed), {"name": name})


_EXCHANGED = ("position", "hash", "version", "zone", "state", "applied", "advanced_at", "error")


def new_revision() -> int:
    """A random number: a store restored from a backup must not count up to a revision that it had
    before."""
    return secrets.randbits(63)


_IN_READ_STORE = Cursors(tables.checkpoints, tables.parked_events)
_IN_WRITE_STORE = Cursors(tables.subscription_cursors, tables.subscription_parked)


def cursors_in(store: Store) -> Cursors:
    return _IN_READ_STORE if store == "read" else _IN_WRITE_STORE
