"""A shop's history: commands run in memory, their events recorded as the store would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, create_engine, select

from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders.search import create_search
from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.commands.handling import decide
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, StoredEvent
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows, key_of
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store.tables import read
from tests.orders.given import HANDLERS

REGISTRY = Registry([ORDERS])
PROJECTIONS: tuple[Projection, ...] = tuple(ORDERS.projections)
TABLES: list[Table] = [table for projection in PROJECTIONS for table in projection.tables]
START = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@dataclass
class History:
    """`recorded` is everything accepted so far, in order, through the codec and back."""

    recorded: list[Recorded] = field(default_factory=list)
    aggregates: dict[str, Aggregate] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def run(
        self,
        command: Command,
        at: datetime = START,
        operator: str = "ana",
        *,
        history: bool = False,
    ) -> bool:
        """Whether it was accepted."""
        handler = HANDLERS[type(command)]
        aggregate = handler.aggregate
        stream = aggregate.stream_for(command)
        subject = self.aggregates.setdefault(stream, aggregate())
        try:
            events = decide(subject, handler, command, at, history=history).events
        except Refused:
            # It may have been refused half way through.
            self.aggregates[stream] = self._restored(aggregate, stream)
            return False
        for event in events:
            position = len(self.recorded) + 1
            self.versions[stream] = self.versions.get(stream, 0) + 1
            stored = StoredEvent(
                stream=stream,
                version=self.versions[stream],
                type=type(event).__name__,
                schema=event.schema,
                payload=msgspec.json.encode(event).decode(),
                operator=operator,
                command_id=f"command-{position}",
                correlation_id=f"command-{position}",
                causation_id=None,
                occurred_at=at,
                recorded_at=START + timedelta(days=400, seconds=position),
                position=position,
            )
            self.recorded.append(REGISTRY.codec.decode(stored))
        return True

    def _restored(self, aggregate: type[Aggregate], stream: str) -> Aggregate:
        return restore(aggregate, None, self.of(stream))

    def of(self, stream: str) -> list[Recorded]:
        return [each for each in self.recorded if each.stream == stream]


def read_store() -> Engine:
    """An empty SQLite read store in memory."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        make_tables(connection)
    return engine


def make_tables(connection: Connection) -> None:
    read.create_all(connection, tables=TABLES)
    create_search(connection)


def fold(recorded: Iterable[Recorded]) -> Rows:
    """Every projection's rows, in memory."""
    rows, events = Rows(), list(recorded)
    for projection in PROJECTIONS:
        projection.apply(handled(projection, events), rows)
    return rows


def project(
    connection: Connection, recorded: Sequence[Recorded], sizes: Iterable[int] = (500,)
) -> None:
    """Every projection's rows, in the database, batch by batch; the last size repeats."""
    for batch in batches(recorded, sizes):
        for projection in PROJECTIONS:
            projection.take(handled(projection, batch), connection)


def batches(recorded: Sequence[Recorded], sizes: Iterable[int]) -> Iterator[Sequence[Recorded]]:
    start, size = 0, 500
    turns = iter(sizes)
    while start < len(recorded):
        size = next(turns, size)
        yield recorded[start : start + size]
        start += size


def handled(projection: Projection, recorded: Iterable[Recorded]) -> list[Recorded]:
    return [each for each in recorded if each.stored.type in projection.handlers]


def stored_rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    return sorted(rows, key=lambda row: tuple(row[name] for name in key_of(table)))
