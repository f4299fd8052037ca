"""The event store on SQLite: one writer at a time, so positions are assigned at insert."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import astuple

from cqrs_app.kernel.errors import AlreadyRecorded
from cqrs_app.kernel.store.base import (
    EVENT_FIELDS,
    HEAD_FIELDS,
    LOG_FIELDS,
    UNFINISHED,
    Change,
    EventStore,
    columns_of,
    conflict_in,
    heads_of,
)
from cqrs_app.kernel.store.columns import as_text


def _insert(table: str, names: Sequence[str], last: str = "?") -> str:
    placeholders = ", ".join([*("?" * (len(names) - 1)), last])
    return f"INSERT INTO {table} ({columns_of(names)}) VALUES ({placeholders})"  # noqa: S608


_LOG = f"""{_insert("command_log", LOG_FIELDS)}
    ON CONFLICT (command_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in LOG_FIELDS if name != "command_id")}
    WHERE command_log.outcome IN {UNFINISHED}"""
# The position is the last field of an event, and assigned here.
_EVENT = _insert("events", EVENT_FIELDS, "(SELECT coalesce(max(position), 0) + 1 FROM events)")
# Without a new snapshot, the stored one is kept.
_MOVE = f"""{_insert("streams", HEAD_FIELDS)}
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash,
    snapshot = coalesce(excluded.snapshot, streams.snapshot),
    snapshot_version = coalesce(excluded.snapshot_version, streams.snapshot_version),
    snapshot_shape = coalesce(excluded.snapshot_shape, streams.snapshot_shape)"""


class SqliteEventStore(EventStore):
    def place(self) -> int:
        return 0

    def _place_within(self, driver: sqlite3.Connection) -> None:
        """All have one."""

    def _write_alone(self, driver: sqlite3.Connection, changes: Sequence[Change]) -> None:
        driver.execute("BEGIN IMMEDIATE")
        self._write(driver, changes)
        driver.execute("COMMIT")

    def _write(self, driver: sqlite3.Connection, changes: Sequence[Change]) -> None:
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
    """Datetimes in the format of the stored rows."""
    return [as_text(value) if isinstance(value, datetime) else value for value in values]
