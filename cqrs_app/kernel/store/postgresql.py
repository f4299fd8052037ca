"""The event store on PostgreSQL: one statement writes a command, positions are assigned after
commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from msgspec.structs import astuple
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from cqrs_app.kernel.errors import AlreadyRecorded
from cqrs_app.kernel.store import tables
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
from cqrs_app.kernel.store.engines import raw_connection

SEQUENCER_LOCK = 7_226_417_903
PLACE_BATCH = 5_000

_APPEND_FIELDS = tuple(name for name in EVENT_FIELDS if name != "position")
_APPENDED = columns_of(_APPEND_FIELDS)


def _many(table: Table, names: Sequence[str], parameter: str) -> str:
    """Rows from one JSON text, which the driver sends many times faster than an array per column.
    Bytes are encoded in base64."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kinds = {name: table.c[name].type.compile(dialect) for name in names}
    columns = ", ".join(f"{n} {'TEXT' if k == 'BYTEA' else k}" for n, k in kinds.items())
    return f"json_to_recordset(%({parameter})s::json) AS ({columns})"


def _one(names: Sequence[str], **instead: str) -> str:
    """One row as VALUES, which costs the driver far less than a JSON text with one item."""
    return f"VALUES ({', '.join(instead.get(name, '%s') for name in names)})"


def _commit(log: str, heads: str, appended: str) -> str:
    """Everything that commands write, in one statement: one round trip and one transaction.

    Two constraints guard it: (stream, version) is unique, and an event's command_id, which is
    selected from the log row just written, must not be null. A command that is already finished
    writes no log row.
    """
    return f"""
    WITH logged AS (
        INSERT INTO command_log ({columns_of(LOG_FIELDS)}) {log}
        ON CONFLICT (command_id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in LOG_FIELDS if name != "command_id")}
        WHERE command_log.outcome IN {UNFINISHED}
        RETURNING command_id
    ), heads AS (
        INSERT INTO streams AS s ({columns_of(HEAD_FIELDS)}) {heads}
        ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash,
        snapshot = coalesce(excluded.snapshot, s.snapshot),
        snapshot_version = coalesce(excluded.snapshot_version, s.snapshot_version),
        snapshot_shape = coalesce(excluded.snapshot_shape, s.snapshot_shape)
    ), appended AS (
        INSERT INTO events ({_APPENDED}) {appended}
    )
    SELECT count(*) FROM logged
    """  # noqa: S608 - put together from the names of our own columns


_BYTES = "decode(hash, 'base64')"
_COMMIT_MANY = _commit(
    f"SELECT * FROM {_many(tables.command_log, LOG_FIELDS, 'log')}",  # noqa: S608
    f"SELECT {columns_of(HEAD_FIELDS).replace('hash', _BYTES)}"  # noqa: S608
    f" FROM {_many(tables.streams, HEAD_FIELDS, 'heads')}",
    f"""
    SELECT {_APPENDED.replace("command_id", "l.command_id", 1).replace("hash", _BYTES)}
    FROM ROWS FROM ({_many(tables.events, _APPEND_FIELDS, "events")}) WITH ORDINALITY
    AS e ({_APPENDED.replace("command_id", "by_id", 1)}, ordinal)
    LEFT JOIN logged l ON l.command_id = e.by_id
    ORDER BY e.ordinal
    """,  # noqa: S608
)
_COMMIT_ONE = _commit(
    _one(LOG_FIELDS),
    _one(HEAD_FIELDS),
    _one(_APPEND_FIELDS, command_id="(SELECT command_id FROM logged WHERE command_id = %s)"),
)

# LIMIT makes PostgreSQL look up each stream by its key. Otherwise a cached plan that was made while
# the table was small may later scan all of it.
_HEADS = f"""
SELECT {columns_of(HEAD_FIELDS)} FROM unnest(%s::text[]) AS wanted (name)
CROSS JOIN LATERAL (SELECT * FROM streams WHERE stream = wanted.name LIMIT 1) AS found
"""  # noqa: S608

# One round trip and one transaction. The lock is taken in a separate statement, so that the next
# one sees everything committed before the lock was acquired. Each event that gets its position
# leaves a dead entry in the index of events without one. Only a plain index scan removes the dead
# entries that it meets, so other plans are disabled: they would read all dead entries since the
# last vacuum each time.
_PLACE = f"""
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_seqscan = off;
SELECT pg_advisory_xact_lock({SEQUENCER_LOCK});
UPDATE events SET position = assigned.position
FROM (
    SELECT id, (SELECT coalesce(max(position), 0) FROM events) + row_number() OVER (ORDER BY id)
        AS position
    FROM (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT {PLACE_BATCH}) waiting
) assigned
WHERE events.id = assigned.id
"""  # noqa: S608

_PLANS_AS_BEFORE = "SET LOCAL enable_bitmapscan TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT"


class PostgresEventStore(EventStore):
    def _write(self, driver: psycopg.Connection, changes: Sequence[Change]) -> None:
        try:
            logged = driver.execute(*_statement(changes)).fetchone()
        except psycopg.IntegrityError as error:
            if error.diag.constraint_name == "uq_events_stream_version":
                raise conflict_in(changes) from error
            if error.diag.column_name == "command_id":
                raise AlreadyRecorded(changes[0].entry.command_id) from error
            raise
        if logged != (len(changes),):
            raise AlreadyRecorded(changes[0].entry.command_id)

    def load_many(self, streams: Iterable[str]) -> dict[str, Head]:
        with raw_connection(self._engine) as driver:
            rows = driver.execute(_HEADS, (list(streams),)).fetchall()
        return {row[0]: head_of(row) for row in rows}

    def place(self) -> int:
        # Wait for the lock: its holder may have read before our events were committed.
        placed = 0
        while True:
            with raw_connection(self._engine) as driver:
                count = _place_some(driver)
            placed += count
            if count < PLACE_BATCH:
                return placed

    def _place_within(self, driver: psycopg.Connection) -> None:
        # Nobody else assigns positions until this transaction ends.
        while _place_some(driver) == PLACE_BATCH:
            pass
        driver.execute(_PLANS_AS_BEFORE, prepare=False)


def _place_some(driver: psycopg.Connection) -> int:
    found = driver.execute(_PLACE, prepare=False)
    while found.nextset():
        pass
    return found.rowcount


def _statement(changes: Sequence[Change]) -> tuple[str, Sequence[Any] | dict[str, Any]]:
    """The statement and its parameters."""
    entries = [change.entry for change in changes]
    events = [event for change in changes for event in change.events]
    heads = heads_of(changes)
    if len(entries) == len(events) == 1:
        # The position is the last field of an event, and assigned later.
        return _COMMIT_ONE, (*astuple(entries[0]), *heads[0], *astuple(events[0])[:-1])
    named = [dict(zip(HEAD_FIELDS, head, strict=True)) for head in heads]
    rows = {"log": entries, "events": events, "heads": named}
    return _COMMIT_MANY, {name: msgspec.json.encode(each).decode() for name, each in rows.items()}
