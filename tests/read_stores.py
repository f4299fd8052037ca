"""The rows of projections in a database, without a console."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import key_of


def write_rows(
    connection: Connection,
    projections: Iterable[Projection],
    recorded: Sequence[Recorded],
    sizes: Iterable[int] = (500,),
) -> None:
    """Write the rows of every projection for a log, batch by batch; the last size repeats."""
    for batch in batches(recorded, sizes):
        for projection in projections:
            handled = [each for each in batch if each.stored.type in projection.handlers]
            projection.take(handled, connection)


def batches(recorded: Sequence[Recorded], sizes: Iterable[int]) -> Iterator[Sequence[Recorded]]:
    start, size = 0, 500
    turns = iter(sizes)
    while start < len(recorded):
        size = next(turns, size)
        yield recorded[start : start + size]
        start += size


def stored_rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, ordered by key."""
    rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    return sorted(rows, key=lambda row: tuple(row[name] for name in key_of(table)))
