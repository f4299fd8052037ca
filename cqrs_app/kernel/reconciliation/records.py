"""What the last comparisons of each projection found, and the repairs that are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import reconciliations
from cqrs_app.kernel.subscriptions.leases import Lease

LEASE = Lease(timedelta(hours=1))
"""For one projection: as long as its whole log may take to be read."""

_COLUMNS = reconciliations.c


@dataclass(frozen=True, slots=True)
class DifferingRow:
    """A differing row. `fields` are its columns with other values, of one that is `changed`."""

    table: str
    key: str
    kind: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`drifted` are the tables that differ from their digests, `differences` counts the rows that
    differ from the events. `repair` is set while a repair is asked for: what to repair, empty for
    all."""

    projection: str
    compared_at: datetime | None
    rows: int
    drifted: tuple[str, ...]
    proven_at: datetime | None
    proven_position: int | None
    differences: int
    samples: tuple[DifferingRow, ...]
    problem: str
    repair: str | None
    repaired: int
    repaired_at: datetime | None

    @property
    def has_drift(self) -> bool:
        return bool(self.drifted or self.differences)


_FIELDS = [_COLUMNS[name] for name in Reconciliation.__annotations__]


def records(connection: Connection) -> dict[str, Reconciliation]:
    """Projection -> its record, for those that were compared or are to be."""
    found = {}
    for row in connection.execute(select(*_FIELDS).order_by(_COLUMNS.projection)):
        values = row._asdict()
        values["drifted"] = msgspec.json.decode(row.drifted, type=tuple[str, ...])
        values["samples"] = msgspec.json.decode(row.samples, type=tuple[DifferingRow, ...])
        found[row.projection] = Reconciliation(**values)
    return found


def due(connection: Connection, projections: Iterable[str], before: datetime | None) -> list[str]:
    """Those of these projections that are to be repaired, and with `before` those last compared
    before then, that nobody compares now."""
    names = (_COLUMNS.projection, _COLUMNS.compared_at, _COLUMNS.repair)
    free = select(*names, LEASE.is_free(_COLUMNS.lease_until).label("free"))
    known = {row.projection: row for row in connection.execute(free)}
    return [
        name
        for name in projections
        if (
            before is not None
            if (row := known.get(name)) is None
            else row.free and (row.repair is not None or _is_old(row.compared_at, before))
        )
    ]


def _is_old(compared_at: datetime | None, before: datetime | None) -> bool:
    return before is not None and (compared_at is None or compared_at < before)


def record(connection: Connection, projection: str, **values: Any) -> None:
    """Change these columns of a projection's record."""
    for name in values.keys() & {"drifted", "samples"}:
        values[name] = msgspec.json.encode(values[name]).decode()
    row = insert_into(connection, reconciliations).values(projection=projection, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["projection"], set_=values))


def take_leases(connection: Connection, projections: Iterable[str]) -> list[str]:
    """Take a lease on each of these that nobody compares now; returns them."""
    taken = []
    for name in projections:
        row = insert_into(connection, reconciliations).values(projection=name)
        connection.execute(row.on_conflict_do_nothing())
        free = update(reconciliations).where(
            _COLUMNS.projection == name, LEASE.is_free(_COLUMNS.lease_until)
        )
        if connection.execute(free.values(lease_until=LEASE.end())).rowcount:
            taken.append(name)
    return taken


def release_leases(connection: Connection, projections: Iterable[str]) -> None:
    mine = _COLUMNS.projection.in_(tuple(projections))
    connection.execute(update(reconciliations).where(mine).values(lease_until=None))
