"""Where each projection stands, kept beside its rows so that both move together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from cqrs_app.kernel.databases import insert_into
from cqrs_app.kernel.tables import checkpoints, parked_events

_COLUMNS = checkpoints.c


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`state` is running, paused, rebuilding or failed (then `error` says why)."""

    projection: str
    position: int
    version: int
    state: str
    applied: int
    advanced_at: datetime | None
    error: str | None


class Overtaken(Exception):
    """Another runner moved the checkpoint first; nothing was written."""


def ensure(connection: Connection, versions: dict[str, int]) -> None:
    """A checkpoint at zero for every projection that has none."""
    for name, version in versions.items():
        row = {"projection": name, "position": 0, "version": version, "state": "running"}
        insert = insert_into(connection, checkpoints).values(row | {"applied": 0})
        connection.execute(insert.on_conflict_do_nothing())


def read(connection: Connection, names: Iterable[str]) -> dict[str, Checkpoint]:
    found = select(checkpoints).where(_COLUMNS.projection.in_(tuple(names)))
    return {row.projection: Checkpoint(*row) for row in connection.execute(found)}


def lock(connection: Connection, name: str) -> Checkpoint | None:
    """The checkpoint, held until the transaction ends (SQLite: the transaction holds it)."""
    found = select(checkpoints).where(_COLUMNS.projection == name).with_for_update()
    row = connection.execute(found).first()
    return Checkpoint(*row) if row else None


def move(
    connection: Connection, old: Checkpoint, position: int, applied: int, at: datetime
) -> None:
    """Compare-and-set; raises Overtaken when another runner was here."""
    moved = (
        update(checkpoints)
        .where(_COLUMNS.projection == old.projection, _COLUMNS.position == old.position)
        .values(
            position=position,
            applied=_COLUMNS.applied + applied,
            advanced_at=at,
            state="running",
            error=None,
        )
    )
    if connection.execute(moved).rowcount != 1:
        raise Overtaken(old.projection)


def set_state(connection: Connection, name: str, state: str, error: str | None = None) -> None:
    where = _COLUMNS.projection == name
    connection.execute(update(checkpoints).where(where).values(state=state, error=error))


def parked_count(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Projection -> events that are parked."""
    columns = parked_events.c
    found = (
        select(columns.projection, func.count())
        .where(columns.projection.in_(tuple(names)))
        .group_by(columns.projection)
    )
    return dict(connection.execute(found).all())


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
