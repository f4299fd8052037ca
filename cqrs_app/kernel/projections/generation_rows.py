"""The second generations there are: what is known of each, and who works on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update

from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import projection_generations
from cqrs_app.kernel.subscriptions.leases import Lease

Role = Literal["next", "previous"]

LEASE = Lease(timedelta(seconds=15))

_columns = projection_generations.c


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """`role`: "next" is to be swapped in, "previous" was swapped out. `busy_seconds` were spent on
    building it. If it is `comparing`, a comparison with the live rows is due; the last one found
    `differences` in `compared_rows` rows at `compared_position`, and `report` is its JSON.
    `problem` says why the last operation was not carried out."""

    projection: str
    role: Role
    started_at: datetime
    busy_seconds: float
    lease_until: datetime | None
    built_at: datetime | None
    comparing: bool
    compared_at: datetime | None
    compared_position: int | None
    compared_rows: int | None
    differences: int | None
    digest_gap: str | None
    report: str | None
    swapped_at: datetime | None
    problem: str | None


def generation_rows(connection: Connection) -> dict[str, GenerationRow]:
    """Projection -> its second generation, for those that have one, ordered by name."""
    found = connection.execute(select(projection_generations).order_by(_columns.projection))
    return {row.projection: GenerationRow(*row) for row in found}


def add_row(connection: Connection, projection: str, at: datetime) -> None:
    row = {"projection": projection, "role": "next", "started_at": at, "busy_seconds": 0.0}
    insert = insert_into(connection, projection_generations)
    connection.execute(insert.values(row | {"comparing": True}))


def change_row(connection: Connection, projection: str, **values: Any) -> None:
    here = _columns.projection == projection
    connection.execute(update(projection_generations).where(here).values(values))


def delete_row(connection: Connection, projection: str) -> None:
    connection.execute(delete(projection_generations).where(_columns.projection == projection))


def free(connection: Connection) -> list[str]:
    """Those that are to be compared, or built before, and that nobody works on."""
    due = _columns.comparing & LEASE.is_free(_columns.lease_until)
    return list(connection.execute(select(_columns.projection).where(due)).scalars())


def take_lease(connection: Connection, projections: Iterable[str]) -> list[str]:
    """Take a lease on those that nobody works on; returns which, ordered by name."""
    mine = update(projection_generations).where(
        _columns.projection.in_(tuple(projections)), LEASE.is_free(_columns.lease_until)
    )
    taken = mine.values(lease_until=LEASE.end()).returning(_columns.projection)
    return sorted(connection.execute(taken).scalars())


def record_work(connection: Connection, projections: Iterable[str], seconds: float) -> None:
    """Add to the time spent, and renew the leases."""
    mine = update(projection_generations).where(_columns.projection.in_(tuple(projections)))
    values = {"busy_seconds": _columns.busy_seconds + seconds, "lease_until": LEASE.end()}
    connection.execute(mine.values(values))


def release_lease(connection: Connection, projections: Iterable[str]) -> None:
    mine = update(projection_generations).where(_columns.projection.in_(tuple(projections)))
    connection.execute(mine.values(lease_until=None))
