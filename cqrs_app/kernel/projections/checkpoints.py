"""Where each projection stands, kept beside its rows so that both move together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from cqrs_app.kernel.store.engines import driven, insert_into, mark_of
from cqrs_app.kernel.store.tables import checkpoints, parked_events

_COLUMNS = checkpoints.c
_parked = select(func.count()).where(parked_events.c.projection == _COLUMNS.projection)
_CHECKPOINTS = select(checkpoints, _parked.scalar_subquery())
_NAMED = _CHECKPOINTS.where(_COLUMNS.projection.in_(bindparam("names", expanding=True)))
_REACHED = """
SELECT projection, position, state, (
    SELECT count(*) FROM parked_events WHERE parked_events.projection = checkpoints.projection
)
FROM checkpoints WHERE projection IN ({marks})
"""
_MOVE = (
    update(checkpoints)
    .where(_COLUMNS.projection == bindparam("name"), _COLUMNS.position == bindparam("seen"))
    .values(
        position=bindparam("to"),
        applied=_COLUMNS.applied + bindparam("taken"),
        advanced_at=bindparam("at"),
        state="running",
        error=None,
    )
)
_LOCKED = _CHECKPOINTS.where(_COLUMNS.projection == bindparam("name")).with_for_update(
    of=checkpoints
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`state` is running, paused, rebuilding or failed (then `error` says why); `parked` counts
    the events held back."""

    projection: str
    position: int
    version: int
    state: str
    applied: int
    advanced_at: datetime | None
    error: str | None
    parked: int


@dataclass(frozen=True, slots=True)
class Reached:
    """What of a checkpoint says how fresh its projection is."""

    projection: str
    position: int
    state: str
    parked: int


class Overtaken(Exception):
    """Another runner moved the checkpoint first; nothing was written."""


def ensure(connection: Connection, versions: dict[str, int]) -> None:
    """A checkpoint at zero for every projection that has none."""
    for name, version in versions.items():
        row = {"projection": name, "position": 0, "version": version, "state": "running"}
        insert = insert_into(connection, checkpoints).values(row | {"applied": 0})
        connection.execute(insert.on_conflict_do_nothing())


def read(connection: Connection, names: Iterable[str]) -> dict[str, Checkpoint]:
    rows = connection.execute(_NAMED, {"names": list(names)})
    return {row.projection: Checkpoint(*row) for row in rows}


def reached(engine: Engine, names: Collection[str]) -> list[Reached]:
    """How far these projections are, asked beside any transaction: every answer needs it, so it
    goes to the driver itself."""
    if not names:
        return []
    marks = ", ".join([mark_of(engine)] * len(names))
    with driven(engine) as driver:
        rows = driver.execute(_REACHED.format(marks=marks), tuple(names)).fetchall()
    return [Reached(*row) for row in rows]


def lock(connection: Connection, name: str) -> Checkpoint | None:
    """The checkpoint, held until the transaction ends (SQLite: the transaction holds it)."""
    row = connection.execute(_LOCKED, {"name": name}).first()
    return Checkpoint(*row) if row else None


def move(
    connection: Connection, old: Checkpoint, position: int, applied: int, at: datetime
) -> None:
    """Compare-and-set; raises Overtaken when another runner was here."""
    to = {"to": position, "taken": applied, "at": at}
    moved = connection.execute(_MOVE, {"name": old.projection, "seen": old.position, **to})
    if moved.rowcount != 1:
        raise Overtaken(old.projection)


def set_state(connection: Connection, name: str, state: str, error: str | None = None) -> None:
    where = _COLUMNS.projection == name
    connection.execute(update(checkpoints).where(where).values(state=state, error=error))


def is_parked(connection: Connection, names: Iterable[str], stream: str) -> bool:
    """Whether one of these projections holds the stream back behind a parked event."""
    columns = parked_events.c
    found = select(columns.position).where(
        columns.projection.in_(tuple(names)), columns.stream == stream
    )
    return connection.execute(found.limit(1)).first() is not None


def rebuilt(connection: Connection, name: str, position: int, version: int, at: datetime) -> None:
    """Set the checkpoint after a full replay."""
    values = {"position": position, "version": version, "state": "running", "applied": position}
    where = _COLUMNS.projection == name
    connection.execute(
        update(checkpoints).where(where).values(values | {"advanced_at": at, "error": None})
    )
