"""The event store on PostgreSQL: one statement writes a command, positions come after commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel import tables
from cqrs_app.kernel.errors import AlreadyRecorded, VersionConflict
from cqrs_app.kernel.store.base import EVENT_FIELDS, LOG_FIELDS, UNFINISHED, Change, EventStore
from cqrs_app.kernel.store.sqlite import head_row

SEQUENCER_LOCK = 7_226_417_903
PLACED_AT_ONCE = 5_000

_HEAD_FIELDS = ("stream", "version", "hash", "snapshot", "snapshot_version", "snapshot_shape")
_APPEND_FIELDS = tuple(name for name in EVENT_FIELDS if name != "position")


def _arrays(table: Table, names: Sequence[str], prefix: str) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kinds = (table.c[name].type.compile(dialect) for name in names)
    return ", ".join(
        f"%({prefix}_{name})s::{kind.split('(')[0]}[]"
        for name, kind in zip(names, kinds, strict=True)
    )


def _columns(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


_EVENT_ALIASES = _columns(_APPEND_FIELDS).replace("command_id", "by_id", 1)

# Everything a command writes in one statement, so in one round trip and one transaction. Two
# constraints guard it: (stream, version) is unique, and an event's command_id, which comes from
# the log row just written, must not be null: a command that is already finished writes no log row.
_COMMIT = f"""
WITH logged AS (
    INSERT INTO command_log ({_columns(LOG_FIELDS)})
    SELECT * FROM unnest({_arrays(tables.command_log, LOG_FIELDS, "l")})
    ON CONFLICT (command_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in LOG_FIELDS if name != "command_id")}
    WHERE command_log.outcome IN {UNFINISHED}
    RETURNING command_id
), heads AS (
    INSERT INTO streams AS s ({_columns(_HEAD_FIELDS)})
    SELECT * FROM unnest({_arrays(tables.streams, _HEAD_FIELDS, "h")})
    ON CONFLICT (stream) DO UPDATE SET version = excluded.version, hash = excluded.hash,
    snapshot = coalesce(excluded.snapshot, s.snapshot),
    snapshot_version = coalesce(excluded.snapshot_version, s.snapshot_version),
    snapshot_shape = coalesce(excluded.snapshot_shape, s.snapshot_shape)
), appended AS (
    INSERT INTO events ({_columns(_APPEND_FIELDS)})
    SELECT {_columns(_APPEND_FIELDS).replace("command_id", "l.command_id", 1)}
    FROM unnest({_arrays(tables.events, _APPEND_FIELDS, "e")})
    WITH ORDINALITY AS e ({_EVENT_ALIASES}, ordinal)
    LEFT JOIN logged l ON l.command_id = e.by_id
    ORDER BY e.ordinal
)
SELECT count(*) FROM logged
"""  # noqa: S608 - put together from the names of our own columns

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
    def commit(self, changes: Sequence[Change]) -> None:
        steps = [step for change in changes for step in change.steps]
        if not steps:
            with self._reader.connect() as connection:
                self._write(connection, changes)
            return
        with self._engine.begin() as connection:
            for step in steps:
                step(connection)
            self._write(connection, changes)

    def _write(self, connection: Connection, changes: Sequence[Change]) -> None:
        try:
            logged = connection.exec_driver_sql(_COMMIT, _parameters(changes)).scalar_one()
        except IntegrityError as error:
            if _constraint(error) == "uq_events_stream_version":
                first = changes[0].events[0]
                raise VersionConflict(first.stream, first.version - 1, None) from error
            if _column(error) == "command_id":
                raise AlreadyRecorded(changes[0].entry.command_id) from error
            raise
        if logged != len(changes):
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


def _parameters(changes: Sequence[Change]) -> dict[str, list[Any]]:
    entries = [change.entry for change in changes]
    events = [event for change in changes for event in change.events]
    # One head per stream: the last command of a batch wins.
    heads = {row["stream"]: row for row in map(head_row, filter(_has_events, changes))}.values()
    parameters: dict[str, list[Any]] = {}
    for name in LOG_FIELDS:
        parameters[f"l_{name}"] = [getattr(entry, name) for entry in entries]
    for name in _HEAD_FIELDS:
        parameters[f"h_{name}"] = [row[name] for row in heads]
    for name in _APPEND_FIELDS:
        parameters[f"e_{name}"] = [getattr(event, name) for event in events]
    return parameters


def _has_events(change: Change) -> bool:
    return bool(change.events)


def _constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


def _column(error: IntegrityError) -> str | None:
    return getattr(getattr(error.orig, "diag", None), "column_name", None)
