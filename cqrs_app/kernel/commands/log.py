"""The command log: which commands were sent, by whom, and with what outcome."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Connection, Engine, String, bindparam, func, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY

from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.store import LogEntry
from cqrs_app.kernel.store.base import LOG_FIELDS, UNFINISHED
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.kernel.subscriptions.leases import Lease

_BY_ID = select(*(command_log.c[name] for name in LOG_FIELDS)).where(
    command_log.c.command_id.in_(bindparam("ids", expanding=True))
)
# On PostgreSQL, look up each id by its key. Otherwise a cached plan that was made while the table
# was small may later scan all of it.
_wanted = (
    func.unnest(bindparam("ids", type_=ARRAY(String)))
    .table_valued("id", name="wanted")
    .render_derived()
)
_found = select(command_log).where(command_log.c.command_id == _wanted.c.id).limit(1).lateral()
_EACH_BY_ID = select(*(_found.c[name] for name in LOG_FIELDS)).select_from(
    _wanted.join(_found, true())
)

LEASE = Lease(timedelta(seconds=60))
"""How long a queued command may run before another worker takes it over."""

MOST_DELAY_SECONDS = 60
_HELD = Lease(timedelta(seconds=MOST_DELAY_SECONDS))
"""A delayed command waits like a row under a lease, by the clock of the database."""

_LOST = (command_log.c.outcome == "running") & LEASE.is_free(command_log.c.lease_until)

# Commands queued concurrently may have the same number: neither was accepted before the other.
_NEXT_NUMBER = (
    select(func.coalesce(func.max(command_log.c.queue_number), 0) + 1)
    .where(command_log.c.queue_number.is_not(None))
    .scalar_subquery()
)

_named, _first = command_log.alias("named"), command_log.alias("first")
_FIRST_OF_STREAM = (
    select(_first.c.command_id)
    .join(_named, _named.c.stream == _first.c.stream)
    .where(
        _named.c.command_id == bindparam("id"),
        _first.c.outcome.in_(("queued", "running")),
        _HELD.is_free(_first.c.not_before),
    )
    # Commands queued by an earlier release have no number.
    .order_by(func.coalesce(_first.c.queue_number, 0), _first.c.received_at, _first.c.command_id)
    .limit(1)
    .scalar_subquery()
)
_TAKE_FIRST = (
    update(command_log)
    .where(
        command_log.c.command_id == _FIRST_OF_STREAM, (command_log.c.outcome == "queued") | _LOST
    )
    .values(outcome="running", attempts=command_log.c.attempts + 1, lease_until=LEASE.end())
    .returning(*(command_log.c[name] for name in LOG_FIELDS))
)


class CommandLog:
    """Rows that no command's transaction writes: refusals, failures, queued commands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reader_of(engine)

    def find(self, command_id: str) -> LogEntry | None:
        return self.find_many((command_id,)).get(command_id)

    def find_many(self, command_ids: Iterable[str]) -> dict[str, LogEntry]:
        found = _EACH_BY_ID if self._engine.dialect.name == "postgresql" else _BY_ID
        with self._reader.connect() as connection:
            rows = connection.execute(found, {"ids": list(command_ids)})
            entries = (LogEntry(*row) for row in rows)
            return {entry.command_id: entry for entry in entries}

    def record(self, entry: LogEntry) -> None:
        """Write the outcome of a command. A finished row of the same id, or one of another
        operator, is left unchanged."""
        row = insert_into(self._engine, command_log).values(asdict(entry))
        replace = {name: row.excluded[name] for name in LOG_FIELDS if name != "command_id"}
        with self._engine.begin() as connection:
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["command_id"],
                    set_=replace,
                    where=command_log.c.outcome.in_(UNFINISHED)
                    & (command_log.c.operator == row.excluded.operator),
                )
            )

    def queue(self, entry: LogEntry, delay: float = 0.0) -> bool:
        """Write a queued command, to be taken after `delay` seconds; False if the id is already in
        the log, or a delayed one of this type waits in the stream."""
        values = asdict(entry) | {"queue_number": _NEXT_NUMBER}
        if delay:
            values["not_before"] = Lease(timedelta(seconds=delay)).end()
        row = insert_into(self._engine, command_log).values(values).on_conflict_do_nothing()
        # RETURNING, since not every driver reports the row count of an INSERT.
        written = row.returning(command_log.c.command_id)
        with self._engine.begin() as connection:
            return connection.execute(written).first() is not None

    def take(self, command_id: str) -> LogEntry | None:
        """Take the first unfinished command of this command's stream to run it, or to run it again
        if its runner's lease has expired.

        Returns None if it is running, or none is left. So the commands of a stream are carried out
        one after the other, in the order in which they were accepted. A delayed one takes its place
        in that order once it is due; until then it holds up nothing.
        """
        with self._engine.begin() as connection:
            row = connection.execute(_TAKE_FIRST, {"id": command_id}).first()
            return LogEntry(*row) if row else None

    def waiting(self, before: datetime, limit: int = 100) -> list[str]:
        """Ids of commands queued before a moment, due after a delay, or running under an expired
        lease."""
        columns = command_log.c
        since = (columns.received_at < before) | columns.not_before.is_not(None)
        queued = (columns.outcome == "queued") & since & _HELD.is_free(columns.not_before)
        found = select(columns.command_id).where(queued | _LOST)
        with self._reader.connect() as connection:
            ordered = found.order_by(columns.received_at).limit(limit)
            return list(connection.execute(ordered).scalars())

    def delayed(self, stream: str, name: str) -> LogEntry | None:
        """The delayed command of this name that waits in a stream."""
        found = select(*(command_log.c[each] for each in LOG_FIELDS)).where(
            command_log.c.stream == stream,
            command_log.c.type == name,
            command_log.c.outcome == "queued",
            command_log.c.not_before.is_not(None),
        )
        with self._reader.connect() as connection:
            row = connection.execute(found.limit(1)).first()
            return LogEntry(*row) if row else None

    def withdraw(self, command_id: str, at: datetime, code: str, sentence: str) -> bool:
        """Refuse a delayed command that nobody has taken yet; False if there is none."""
        withdrawn = (
            update(command_log)
            .where(
                command_log.c.command_id == command_id,
                command_log.c.outcome == "queued",
                command_log.c.not_before.is_not(None),
            )
            .values(outcome="refused", code=code, sentence=sentence, finished_at=at, permissions="")
            .returning(command_log.c.command_id)
        )
        with self._engine.begin() as connection:
            return connection.execute(withdrawn).first() is not None


def requeue(connection: Connection, command_id: str) -> bool:
    """Queue a command that has failed again as it was, without its error, in the caller's
    transaction; False if it has not failed, or is queued already."""
    again = (
        update(command_log)
        .where(command_log.c.command_id == command_id, command_log.c.outcome == "failed")
        .values(
            outcome="queued",
            queue_number=_NEXT_NUMBER,
            finished_at=None,
            duration_ms=None,
            code=None,
            sentence=None,
            traceback=None,
        )
        .returning(command_log.c.command_id)
    )
    return connection.execute(again).first() is not None


def receipt_of(entry: LogEntry, *, repeated: bool = True) -> Receipt:
    """The receipt for a row of the log."""
    listed: list[dict[str, Any]] = msgspec.json.decode(entry.events)
    return Receipt(
        command_id=entry.command_id,
        status=entry.outcome,
        stream=entry.stream,
        version=entry.version or 0,
        events=tuple(each["type"] for each in listed),
        duration_ms=entry.duration_ms or 0.0,
        repeated=repeated,
    )
