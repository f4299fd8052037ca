"""The interface of the event store, and the reads that both databases share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, bindparam, select

from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.events.recorded import Snapshot, StoredEvent
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.among import among
from cqrs_app.kernel.store.engines import (
    placeholder_of,
    raw_connection,
    reader_of,
    translated_errors,
)

EVENT_FIELDS = StoredEvent.__struct_fields__
HEAD_FIELDS = ("stream", "version", "hash", "snapshot", "snapshot_version", "snapshot_shape")
_events, _heads = tables.events.c, tables.streams.c
_EVENTS = select(*(_events[name] for name in EVENT_FIELDS))

# Statements are built once: building one takes several times as long as running it.
_HEADS = select(tables.streams).where(_heads.stream.in_(bindparam("streams", expanding=True)))
_EVENTS_OF = _EVENTS.where(
    _events.stream == bindparam("stream"),
    _events.version > bindparam("after"),
    _events.version <= bindparam("until"),
).order_by(_events.version)
_FOLLOWING = (
    _EVENTS.where(_events.position > bindparam("after"))
    .order_by(_events.position)
    .limit(bindparam("limit"))
)
_POSITION = select(_events.position).where(
    _events.stream == bindparam("stream"), _events.version == bindparam("version")
)
_RECORDED_AFTER = (
    select(_events.recorded_at)
    .where(_events.position > bindparam("position"))
    .order_by(_events.position)
    .limit(1)
)
_FIRST_UNPLACED = (
    select(_events.recorded_at).where(_events.position.is_(None)).order_by(_events.id).limit(1)
)
# These run with every command or every query, so they bypass SQLAlchemy.
_HEAD = f"SELECT {', '.join(HEAD_FIELDS)} FROM streams WHERE stream = {{placeholder}}"  # noqa: S608
_HEAD_BESIDE = f"""
SELECT {", ".join(f"mine.{name}" for name in HEAD_FIELDS)}, coalesce(other.version, 0)
FROM (SELECT 1) AS one
LEFT JOIN streams AS mine ON mine.stream = {{placeholder}}
LEFT JOIN streams AS other ON other.stream = {{placeholder}}
"""  # noqa: S608
_COMMITTED = """
SELECT (SELECT coalesce(max(position), 0) FROM events)
    + (SELECT count(*) FROM events WHERE position IS NULL)
"""
_HIGHEST_VERSION = 2**31 - 1

APPENDED = "appended"
"""The execution option, of an engine or a connection, with a function that is called with what
`append` has written, before the caller commits it."""

UNFINISHED = ("queued", "running", "failed")
"""Outcomes that a later run of the same command id may replace."""


class LogEntry(msgspec.Struct, frozen=True):
    """One row of the command log; `permissions` are stored only while a command is queued."""

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


LOG_FIELDS = LogEntry.__struct_fields__


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a stream: its version, the hash of its last event, and the stored snapshot."""

    version: int
    hash: bytes
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one accepted command writes, atomically.

    `steps` run first, in the same transaction. Few commands have any.
    """

    entry: LogEntry
    events: tuple[StoredEvent, ...]
    snapshot: Snapshot | None
    steps: tuple[Callable[[Connection], None], ...] = ()


class Follower(Protocol):
    """What is brought up to date in the transaction that writes events."""

    def want(self, events: Iterable[StoredEvent]) -> bool: ...
    def take(self, connection: Connection, events: Iterable[StoredEvent]) -> None: ...
    def committed(self, events: Iterable[StoredEvent]) -> None: ...


class EventStore(ABC):
    """Appends with optimistic locking and reads in one global order.

    Positions are assigned after commit, in insert order, so that a reader who has seen position n
    has seen every event that will ever have a position before n (docs/decisions/0001).
    """

    follower: Follower | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._head_of = _HEAD.format(placeholder=placeholder_of(engine))
        self._head_beside = _HEAD_BESIDE.format(placeholder=placeholder_of(engine))
        self.reader = reader_of(engine)

    def rehearse(self, change: Change) -> None:
        """Run the steps of `change` and roll them back, to raise what they raise."""
        if change.steps:
            with self._engine.connect() as connection:
                for step in change.steps:
                    step(connection)
                connection.rollback()

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all of `changes` in one transaction.

        Raises VersionConflict if a stream has a newer version, AlreadyRecorded if the log holds a
        finished command with one of the ids, and whatever a step raises. Then nothing is written.
        """
        steps = [step for change in changes for step in change.steps]
        follower, events = self._followed(changes)
        if not steps and follower is None:
            with raw_connection(self._engine) as driver:
                self._write_alone(driver, changes)
            return
        with self._engine.begin() as connection:
            for step in steps:
                step(connection)
            self._write_within(connection, changes)
        if follower is not None:
            follower.committed(events)

    def append(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Write `changes`, without their steps, within the caller's transaction.

        Raises VersionConflict and AlreadyRecorded like `commit`. The caller must then roll back.
        """
        self._write_within(connection, changes)
        if appended := connection.get_execution_options().get(APPENDED):
            appended(changes)

    def _write_within(self, connection: Connection, changes: Sequence[Change]) -> None:
        driver = connection.connection.driver_connection
        follower, events = self._followed(changes)
        with translated_errors(self._engine, driver):
            self._write(driver, changes)
            if follower is not None:
                self._place_within(driver)
        if follower is not None:
            follower.take(connection, events)

    def _followed(self, changes: Sequence[Change]) -> tuple[Follower | None, list[StoredEvent]]:
        """The follower, if it wants any of these events, and the events."""
        events = [event for change in changes for event in change.events]
        wanted = self.follower is not None and self.follower.want(events)
        return (self.follower if wanted else None), events

    @abstractmethod
    def _place_within(self, driver: Any) -> None:
        """Assign positions to events that have none, in the caller's transaction."""

    @abstractmethod
    def _write(self, driver: Any, changes: Sequence[Change]) -> None:
        """Write `changes` within a transaction."""

    def _write_alone(self, driver: Any, changes: Sequence[Change]) -> None:
        """Write `changes` as a transaction. Override where that takes several statements."""
        self._write(driver, changes)

    @abstractmethod
    def place(self) -> int:
        """Assign positions to committed events that have none; returns how many."""

    def load(self, stream: str) -> Head | None:
        """The head of a stream, or None if it does not exist."""
        with raw_connection(self._engine) as driver:
            row = driver.execute(self._head_of, (stream,)).fetchone()
        return head_of(row) if row else None

    def load_beside(self, stream: str, other: str) -> tuple[Head | None, int]:
        """The head of a stream, and the version of another one (0: it does not exist), in one
        statement."""
        with raw_connection(self._engine) as driver:
            *row, version = driver.execute(self._head_beside, (stream, other)).fetchone()
        return head_of(row) if row[0] is not None else None, version

    def load_many(self, streams: Iterable[str]) -> dict[str, Head]:
        with self.reader.connect() as connection:
            rows = connection.execute(_HEADS, {"streams": list(streams)})
            return {row.stream: head_of(row) for row in rows}

    def events_of(
        self, stream: str, after: int = 0, until: int | None = None
    ) -> tuple[StoredEvent, ...]:
        """The events of the stream with a version above `after`, up to and including `until`."""
        last = _HIGHEST_VERSION if until is None else until
        with self.reader.connect() as connection:
            parameters = {"stream": stream, "after": after, "until": last}
            return _read(connection, _EVENTS_OF, parameters)

    def events_of_each(self, streams: Iterable[str]) -> dict[str, list[StoredEvent]]:
        """All events of each of these streams, in one statement: for streams that are short."""
        wanted = _EVENTS.where(_events.stream.in_(tuple(streams)))
        found: dict[str, list[StoredEvent]] = {}
        with self.reader.connect() as connection:
            for event in _read(connection, wanted.order_by(_events.stream, _events.version)):
                found.setdefault(event.stream, []).append(event)
        return found

    def first_of(self, streams: Iterable[str]) -> tuple[StoredEvent, ...]:
        """The first event of each of these streams."""
        found = _EVENTS.where(_events.stream.in_(tuple(streams)), _events.version == 1)
        with self.reader.connect() as connection:
            return _read(connection, found)

    def follow(self, after: int, limit: int) -> tuple[StoredEvent, ...]:
        """The next events in global order, at most `limit`, after position `after`."""
        with self.reader.connect() as connection:
            return self.follow_within(connection, after, limit)

    def follow_within(
        self, connection: Connection, after: int, limit: int
    ) -> tuple[StoredEvent, ...]:
        """The same, as the caller's transaction sees it."""
        return _read(connection, _FOLLOWING, {"after": after, "limit": limit})

    def at_positions(self, positions: Sequence[int]) -> tuple[StoredEvent, ...]:
        """The events at these positions, in order."""
        found = _EVENTS.where(_events.position.in_(positions)).order_by(_events.position)
        with self.reader.connect() as connection:
            return _read(connection, found)

    def head(self) -> int:
        """The number of committed events, including those without a position."""
        with raw_connection(self._engine) as driver:
            committed: int = driver.execute(_COMMITTED).fetchone()[0]
        return committed

    def recorded_after(self, position: int) -> datetime | None:
        """When the first event after `position` was recorded; None if there is none."""
        with self.reader.connect() as connection:
            # In this order: an event that gets its position in between is found by the second.
            unplaced = connection.execute(_FIRST_UNPLACED).scalar()
            placed = connection.execute(_RECORDED_AFTER, {"position": position}).scalar()
            return placed or unplaced

    def position_of(self, stream: str, version: int) -> int | None:
        """The position of one event; None if it has none yet or does not exist."""
        with self.reader.connect() as connection:
            return connection.execute(_POSITION, {"stream": stream, "version": version}).scalar()

    def versions_of(self, streams: Iterable[str]) -> dict[str, int]:
        """Stream -> its current version, for the streams that exist."""
        found = select(_heads.stream, _heads.version).where(among(_heads.stream, streams))
        with self.reader.connect() as connection:
            return dict(connection.execute(found).all())

    def each_stream(self, prefix: str = "") -> Iterator[Row[Any]]:
        """Every stream whose name has this prefix, by name, as a row of HEAD_FIELDS. Memory use
        does not grow with the number of streams."""
        last = prefix
        while True:
            page = select(*(_heads[name] for name in HEAD_FIELDS)).where(_heads.stream > last)
            if prefix:
                page = page.where(_heads.stream.startswith(prefix, autoescape=True))
            with self.reader.connect() as connection:
                rows = connection.execute(page.order_by(_heads.stream).limit(500)).all()
            if not rows:
                return
            yield from rows
            last = rows[-1].stream

    def orphans(self) -> list[str]:
        """Streams that have events but no head: a sign of tampering."""
        known = select(_heads.stream)
        found = select(_events.stream).where(_events.stream.not_in(known)).distinct().limit(100)
        with self.reader.connect() as connection:
            return list(connection.execute(found).scalars())


def _read(
    connection: Connection, found: Select[Any], parameters: Mapping[str, Any] | None = None
) -> tuple[StoredEvent, ...]:
    # Fetched together: one by one takes twice as long.
    return tuple(StoredEvent(*row) for row in connection.execute(found, parameters).all())


def head_of(row: Sequence[Any]) -> Head:
    """From a row of HEAD_FIELDS."""
    _, version, last_hash, state, snapshot_version, shape = row
    snapshot = None if state is None else Snapshot(state, snapshot_version, shape)
    return Head(version, bytes(last_hash), snapshot)


def heads_of(changes: Sequence[Change]) -> list[tuple[Any, ...]]:
    """The new heads of the streams, as rows of HEAD_FIELDS. The last change of a stream wins."""
    return list(
        {change.events[-1].stream: _moved(change) for change in changes if change.events}.values()
    )


def _moved(change: Change) -> tuple[Any, ...]:
    last, snapshot = change.events[-1], change.snapshot
    snapped = (snapshot.state, snapshot.version, snapshot.shape) if snapshot else (None,) * 3
    return (last.stream, last.version, last.hash, *snapped)


def conflict_in(changes: Sequence[Change]) -> VersionConflict:
    """The conflict for changes of which one lost its race. The database does not report which, so
    it names the first."""
    first = next(event for change in changes for event in change.events)
    return VersionConflict(first.stream, first.version - 1, None)


def columns_of(names: Iterable[str]) -> str:
    return ", ".join(names)
