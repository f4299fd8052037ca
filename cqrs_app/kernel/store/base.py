"""What every event store promises, and the reading that is the same on all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from cqrs_app.kernel import tables
from cqrs_app.kernel.aggregate import Snapshot
from cqrs_app.kernel.databases import reader_of
from cqrs_app.kernel.recorded import StoredEvent

EVENT_FIELDS = tuple(field.name for field in fields(StoredEvent))
_EVENT_COLUMNS = tuple(tables.events.c[name] for name in EVENT_FIELDS)

UNFINISHED = ("queued", "running", "failed")
"""Outcomes that a later run of the same command id may still replace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One row of the command log; `permissions` are kept only while a command is queued."""

    command_id: str
    type: str
    stream: str
    payload: str
    operator: str
    channel: str
    outcome: str
    attempts: int
    correlation_id: str
    received_at: datetime
    permissions: str = ""
    code: str | None = None
    sentence: str | None = None
    traceback: str | None = None
    version: int | None = None
    events: str = "[]"
    expected_version: int | None = None
    causation_id: str | None = None
    occurred_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: float | None = None


LOG_FIELDS = tuple(field.name for field in fields(LogEntry))


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream stands: version, the last event's hash and the stored snapshot."""

    version: int
    hash: bytes
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Change:
    """Everything one accepted command writes; it is written whole or not at all.

    `steps` are what else is done in its transaction, before the rest; few commands have any.
    """

    entry: LogEntry
    events: tuple[StoredEvent, ...]
    snapshot: Snapshot | None
    steps: tuple[Callable[[Connection], None], ...] = ()


class EventStore(ABC):
    """Appends with optimistic locking and reads in one global order.

    Positions are dealt after commit, in insert order, so that a reader who has seen position n
    has seen all that will ever stand before n (docs/decisions/0001).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reader_of(engine)

    def rehearse(self, change: Change) -> None:
        """Raise what the steps of `change` would; nothing of them is kept."""
        if change.steps:
            with self._engine.connect() as connection:
                for step in change.steps:
                    step(connection)
                connection.rollback()

    @abstractmethod
    def commit(self, changes: Sequence[Change]) -> None:
        """Write all of `changes` in one transaction.

        Raises VersionConflict when a stream has moved on, AlreadyRecorded when a finished
        command with one of the ids is in the log, and what a step raises; then nothing is
        written.
        """

    @abstractmethod
    def place(self) -> int:
        """Deal positions to committed events that have none yet; returns how many it dealt."""

    def load(self, stream: str) -> Head | None:
        """The head of a stream, or None where there is no such stream."""
        return self.load_many((stream,)).get(stream)

    def load_many(self, streams: Iterable[str]) -> dict[str, Head]:
        columns = tables.streams.c
        found = select(tables.streams).where(columns.stream.in_(tuple(streams)))
        with self._reader.connect() as connection:
            return {row.stream: _head(row) for row in connection.execute(found)}

    def events_of(
        self, stream: str, after: int = 0, until: int | None = None
    ) -> tuple[StoredEvent, ...]:
        """The stream's events with a version above `after`, up to and with `until`."""
        columns = tables.events.c
        found = select(*_EVENT_COLUMNS).where(columns.stream == stream, columns.version > after)
        if until is not None:
            found = found.where(columns.version <= until)
        with self._reader.connect() as connection:
            rows = connection.execute(found.order_by(columns.version))
            return tuple(StoredEvent(**row._mapping) for row in rows)

    def follow(self, after: int, limit: int) -> tuple[StoredEvent, ...]:
        """The next events in global order, at most `limit`, after position `after`."""
        columns = tables.events.c
        found = (
            select(*_EVENT_COLUMNS)
            .where(columns.position > after)
            .order_by(columns.position)
            .limit(limit)
        )
        with self._reader.connect() as connection:
            return tuple(StoredEvent(**row._mapping) for row in connection.execute(found))

    def at_positions(self, positions: Sequence[int]) -> tuple[StoredEvent, ...]:
        """The events at these positions, in order."""
        columns = tables.events.c
        found = select(*_EVENT_COLUMNS).where(columns.position.in_(positions))
        with self._reader.connect() as connection:
            rows = connection.execute(found.order_by(columns.position))
            return tuple(StoredEvent(**row._mapping) for row in rows)

    def head(self) -> int:
        """How many events are committed, those without a position included."""
        columns = tables.events.c
        placed = select(func.coalesce(func.max(columns.position), 0)).scalar_subquery()
        unplaced = select(func.count()).where(columns.position.is_(None)).scalar_subquery()
        with self._reader.connect() as connection:
            return int(connection.execute(select(placed + unplaced)).scalar_one())

    def recorded_after(self, position: int) -> datetime | None:
        """When the first event after `position` was recorded; None when there is none."""
        columns = tables.events.c
        placed = select(columns.recorded_at).where(columns.position > position)
        unplaced = select(columns.recorded_at).where(columns.position.is_(None))
        with self._reader.connect() as connection:
            found = connection.execute(placed.order_by(columns.position).limit(1)).scalar()
            return found or connection.execute(unplaced.order_by(columns.id).limit(1)).scalar()

    def position_of(self, stream: str, version: int) -> int | None:
        """The position of one event; None while it has none or does not exist."""
        columns = tables.events.c
        found = select(columns.position).where(columns.stream == stream, columns.version == version)
        with self._reader.connect() as connection:
            return connection.execute(found).scalar()

    def versions_of(self, streams: Iterable[str]) -> dict[str, int]:
        """Stream -> its version now, for the streams that exist."""
        columns = tables.streams.c
        found = select(columns.stream, columns.version).where(columns.stream.in_(tuple(streams)))
        with self._reader.connect() as connection:
            return {row.stream: row.version for row in connection.execute(found)}

    def each_stream(self) -> Iterator[tuple[str, Head, tuple[StoredEvent, ...]]]:
        """Every stream with its head and its events, for verification; memory stays flat."""
        columns = tables.streams.c
        last = ""
        while True:
            page = select(tables.streams).where(columns.stream > last)
            with self._reader.connect() as connection:
                rows = connection.execute(page.order_by(columns.stream).limit(500)).all()
            if not rows:
                return
            for row in rows:
                yield row.stream, _head(row), self.events_of(row.stream)
            last = rows[-1].stream

    def orphans(self) -> list[str]:
        """Streams that have events but no head: a sign of tampering."""
        columns = tables.events.c
        heads = select(tables.streams.c.stream)
        found = select(columns.stream).where(columns.stream.not_in(heads)).distinct().limit(100)
        with self._reader.connect() as connection:
            return list(connection.execute(found).scalars())


def _head(row: Row[Any]) -> Head:
    snapshot = None
    if row.snapshot is not None:
        snapshot = Snapshot(row.snapshot, row.snapshot_version, row.snapshot_shape)
    return Head(row.version, bytes(row.hash), snapshot)
