"""The event store on SQLite: one writer at a time, so positions are dealt at insert.

A command takes some tenths of a millisecond here, of which SQLAlchemy's way to a statement would
be the larger half. So the few statements of a command go to the driver itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from msgspec.structs import astuple
from sqlalchemy.exc import DBAPIError

from cqrs_app.kernel.errors import AlreadyRecorded
from cqrs_app.kernel.store.base import (
    EVENT_FIELDS,
    HEAD_FIELDS,
    LOG_FIELDS,
    UNFINISHED,
    Change,
    EventStore,
    Head,
    columns_of,
    conflict_in,
    head_of,
    heads_of,
)


def _insert(table: str, names: Sequence[str], last: str = "?") -> str:
    marks = ", ".join([*("?" * (len(names) - 1)), last])
    return f"INSERT INTO {table} ({columns_of(names)}) VALUES ({marks})"  # noqa: S608


_HEAD = f"SELECT {columns_of(HEAD_FIELDS)} FROM streams WHERE stream = ?"  # noqa: S608
_LOG = f"""{_insert("command_log", LOG_FIELDS)}
    ON CONFLICT (command_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in LOG_FIELDS if name != "command_id")}
    WHERE command_log.outcome IN {UNFINISHED}"""
# The position is the last of an event's fields, and dealt here.
_EVENT = _insert("events", EVENT_FIELDS, "(SELECT coalesce(max(position), 0) + 1 FROM events)")
# Where no snapshot was due, the older one stays.
_MOVE = f"""{_insert("streams", HEAD_FIELDS)}
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash,
    snapshot = coalesce(excluded.snapshot, streams.snapshot),
    snapshot_version = coalesce(excluded.snapshot_version, streams.snapshot_version),
    snapshot_shape = coalesce(excluded.snapshot_shape, streams.snapshot_shape)"""


class SqliteEventStore(EventStore):
    def load(self, stream: str) -> Head | None:
        with self._driver() as driver:
            row = driver.execute(_HEAD, (stream,)).fetchone()
        return head_of(row) if row else None

    def commit(self, changes: Sequence[Change]) -> None:
        steps = [step for change in changes for step in change.steps]
        if steps:
            with self._engine.begin() as connection:
                for step in steps:
                    step(connection)
                with _as_sqlalchemy_tells_it():
                    _write(connection.connection.driver_connection, changes)
            return
        # What is not committed is rolled back by the pool.
        with self._driver() as driver:
            driver.execute("BEGIN IMMEDIATE")
            _write(driver, changes)
            driver.execute("COMMIT")

    def place(self) -> int:
        return 0

    @contextmanager
    def _driver(self) -> Iterator[sqlite3.Connection]:
        """A connection of the pool, without SQLAlchemy around it."""
        pooled = self._engine.raw_connection()
        try:
            with _as_sqlalchemy_tells_it():
                yield cast(sqlite3.Connection, pooled.driver_connection)
        finally:
            pooled.close()


def _write(driver: Any, changes: Sequence[Change]) -> None:
    entries = [_bound(astuple(change.entry)) for change in changes]
    if driver.executemany(_LOG, entries).rowcount != len(changes):
        raise AlreadyRecorded(changes[0].entry.command_id)
    events = [_bound(astuple(event)[:-1]) for change in changes for event in change.events]
    try:
        driver.executemany(_EVENT, events)
    except sqlite3.IntegrityError as error:
        raise conflict_in(changes) from error
    driver.executemany(_MOVE, heads_of(changes))


def _bound(values: Iterable[Any]) -> list[Any]:
    """Moments as every row has them: see columns.UtcDateTime."""
    return [
        value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        if isinstance(value, datetime)
        else value
        for value in values
    ]


@contextmanager
def _as_sqlalchemy_tells_it() -> Iterator[None]:
    """Errors of the driver as those of any other statement."""
    try:
        yield
    except sqlite3.Error as error:
        raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error
