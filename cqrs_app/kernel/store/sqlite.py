"""The event store on SQLite: one writer at a time, so positions are dealt at insert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from cqrs_app.kernel import tables
from cqrs_app.kernel.errors import AlreadyRecorded, VersionConflict
from cqrs_app.kernel.store.base import LOG_FIELDS, UNFINISHED, Change, EventStore

_insert_log = insert(tables.command_log)
_UPSERT_LOG = _insert_log.on_conflict_do_update(
    index_elements=["command_id"],
    set_={name: _insert_log.excluded[name] for name in LOG_FIELDS if name != "command_id"},
    where=tables.command_log.c.outcome.in_(UNFINISHED),
)
_insert_head = insert(tables.streams)
_SNAPSHOT = ("snapshot", "snapshot_version", "snapshot_shape")
_UPSERT_HEAD = _insert_head.on_conflict_do_update(
    index_elements=["stream"],
    set_={
        "version": _insert_head.excluded.version,
        "hash": _insert_head.excluded.hash,
        # Where no snapshot was due, the older one stays.
        **{
            name: func.coalesce(_insert_head.excluded[name], tables.streams.c[name])
            for name in _SNAPSHOT
        },
    },
)


class SqliteEventStore(EventStore):
    """Every write transaction begins IMMEDIATE (see databases.py)."""

    def commit(self, changes: Sequence[Change]) -> None:
        with self._engine.begin() as connection:
            for change in changes:
                for step in change.steps:
                    step(connection)
            for change in changes:
                if connection.execute(_UPSERT_LOG, asdict(change.entry)).rowcount == 0:
                    raise AlreadyRecorded(change.entry.command_id)
            last = select(func.coalesce(func.max(tables.events.c.position), 0))
            position = connection.execute(last).scalar_one()
            for change in changes:
                if not change.events:
                    continue
                rows = []
                for event in change.events:
                    position += 1
                    rows.append(asdict(replace(event, position=position)))
                try:
                    connection.execute(tables.events.insert(), rows)
                except IntegrityError as error:
                    first = change.events[0]
                    raise VersionConflict(first.stream, first.version - 1, None) from error
                connection.execute(_UPSERT_HEAD, head_row(change))

    def place(self) -> int:
        return 0


def head_row(change: Change) -> dict[str, object]:
    """The stream's new head as a row."""
    last, snapshot = change.events[-1], change.snapshot
    return {
        "stream": last.stream,
        "version": last.version,
        "hash": last.hash,
        "snapshot": snapshot and snapshot.state,
        "snapshot_version": snapshot and snapshot.version,
        "snapshot_shape": snapshot and snapshot.shape,
    }
