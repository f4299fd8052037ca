"""The event store on PostgreSQL: one statement writes a command, positions come after commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from msgspec.structs import astuple
from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql

from cqrs_app.kernel import tables
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

SEQUENCER_LOCK = 7_226_417_903
PLACED_AT_ONCE = 5_000

_APPEND_FIELDS = tuple(name for name in EVENT_FIELDS if name != "position")


def _arrays(table: Table, names: Sequence[str], prefix: str) -> str:
    """Rows from one array per column, of whatever number."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kinds = (table.c[name].type.compile(dialect) for name in names)
    arrays = ", ".join(
        f"%({prefix}_{name})s::{kind.split('(')[0]}[]"
        for name, kind in zip(names, kinds, strict=True)
    )
    return f"unnest({arrays})"


def _one(names: Sequence[str], prefix: str, **instead: str) -> str:
    """One row, which the driver has far less to do for than for arrays of one."""
    values = (instead.get(name, f"%({prefix}_{name})s") for name in names)
    return f"VALUES ({', '.join(values)})"


def _commit(log: str, heads: str, appended: str) -> str:
    """Everything that commands write in one statement, so in one round trip and one transaction.

    Two constraints guard it: (stream, version) is unique, and an event's command_id, which comes
    from the log row just written, must not be null: a command that is already finished writes no
    log row.
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
        INSERT INTO events ({columns_of(_APPEND_FIELDS)}) {appended}
    )
    SELECT count(*) FROM logged
    """  # noqa: S608 - put together from the names of our own columns


_COMMIT_MANY = _commit(
    f"SELECT * FROM {_arrays(tables.command_log, LOG_FIELDS, 'l')}",  # noqa: S608
    f"SELECT * FROM {_arrays(tables.streams, HEAD_FIELDS, 'h')}",  # noqa: S608
    f"""
    SELECT {columns_of(_APPEND_FIELDS).replace("command_id", "l.command_id", 1)}
    FROM {_arrays(tables.events, _APPEND_FIELDS, "e")} WITH ORDINALITY
    AS e ({columns_of(_APPEND_FIELDS).replace("command_id", "by_id", 1)}, ordinal)
    LEFT JOIN logged l ON l.command_id = e.by_id
    ORDER BY e.ordinal
    """,  # noqa: S608
)
_COMMIT_ONE = _commit(
    _one(LOG_FIELDS, "l"),
    _one(HEAD_FIELDS, "h"),
    _one(_APPEND_FIELDS, "e", command_id="(SELECT command_id FROM logged)"),
)

_PLACE = text("""
UPDATE events SET position = dealt.position
FROM (
    SELECT id, (SELECT coalesce(max(position), 0) FROM events) + row_number() OVER (ORDER BY id)
        AS position
    FROM (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT :limit) waiting
) dealt
WHERE events.id = dealt.id
""")


class PostgresEventStore(EventStore):
    mark = "%s"

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

    def place(self) -> int:
        # The lock comes in a statement of its own: the next one then sees all that was committed
        # before the lock was had. Waiting for it is right: whoever deals now may have looked
        # before our events were there.
        with self._reader.connect() as connection:
            waiting = text("SELECT EXISTS (SELECT 1 FROM events WHERE position IS NULL)")
            if not connection.execute(waiting).scalar_one():
                return 0
        dealt = 0
        while True:
            with self._engine.begin() as connection:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEQUENCER_LOCK}
                )
                count = connection.execute(_PLACE, {"limit": PLACED_AT_ONCE}).rowcount
            dealt += count
            if count < PLACED_AT_ONCE:
                return dealt


def _statement(changes: Sequence[Change]) -> tuple[str, dict[str, Any]]:
    """What to run with which parameters."""
    entries = [change.entry for change in changes]
    events = [event for change in changes for event in change.events]
    heads = heads_of(changes)
    if len(entries) == len(events) == 1:
        return _COMMIT_ONE, {
            **_named("l", LOG_FIELDS, astuple(entries[0])),
            **_named("h", HEAD_FIELDS, *heads),
            **_named("e", EVENT_FIELDS, astuple(events[0])),
        }
    return _COMMIT_MANY, {
        **_named("l", LOG_FIELDS, _turned(LOG_FIELDS, map(astuple, entries))),
        **_named("h", HEAD_FIELDS, _turned(HEAD_FIELDS, heads)),
        **_named("e", EVENT_FIELDS, _turned(EVENT_FIELDS, map(astuple, events))),
    }


def _named(prefix: str, names: Sequence[str], values: Iterable[Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in zip(names, values, strict=True)}


def _turned(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """A list per column instead of a tuple per row."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
