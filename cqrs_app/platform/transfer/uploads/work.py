"""Assigns imports to processes by leases, so that another process continues the work of a dead
one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, insert, or_, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.transfer.uploads.receiving import (
    SET_ASIDE,
    is_started,
    replace_chunks,
)
from cqrs_app.platform.transfer.uploads.tables import imports

LEASE = Lease(timedelta(seconds=30))
MAX_ATTEMPTS = 5
"""The limit protects the workers from a file that kills every process that reads it."""

GIVEN_UP = (
    f"The process that took it in ended {MAX_ATTEMPTS} times before it was through. What it took "
    "in until then is kept. Ask whoever runs the console to look at the log of the workers, then "
    "send the file again: it goes on where it was."
)
COMMAND_LINE = "command line"
"""Who sends a file with `flask import`."""
COMMAND_ENDED = (
    "The command that imported it ended before it was through. What was taken in until then is "
    "kept. Run the command again: it goes on where it was."
)
_columns = imports.c


class Work:
    """One import at a time, on whatever host: two would only slow each other down."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def due(self) -> str | None:
        """The import that should be started now, if any."""
        found = (
            select(_columns.import_id)
            .where(self._free(), ~self._busy(), _columns.attempts < MAX_ATTEMPTS)
            .order_by(_columns.uploaded_at, _columns.import_id)
            .limit(1)
        )
        with self._reader.connect() as connection:
            return connection.execute(found).scalar_one_or_none()

    def take(self, import_id: str) -> int | None:
        """The number of this attempt, which is required for writing; None if the import is not
        free."""
        taken = (
            update(imports)
            .where(
                _columns.import_id == import_id,
                self._free(),
                ~self._busy(),
                _columns.attempts < MAX_ATTEMPTS,
            )
            .values(
                state="running",
                attempts=_columns.attempts + 1,
                lease_until=LEASE.end(),
                started_at=self._clock(),
                first_started_at=func.coalesce(_columns.first_started_at, self._clock()),
                read_at=None,
            )
            .returning(_columns.attempts)
        )
        with self._engine.begin() as connection:
            attempt: int | None = connection.execute(taken).scalar_one_or_none()
            return attempt

    def begin(self, profile: str, file_name: str, size: int, sha256: str) -> str:
        """Record an import from the command line, as its first attempt; returns its id."""
        import_id, now = new_id(), self._clock()
        row = {
            "import_id": import_id,
            "profile": profile,
            "file_name": file_name,
            "size": size,
            "sha256": sha256,
            "uploaded_by": COMMAND_LINE,
            "uploaded_at": now,
            "state": "running",
            "done": 0,
            "total": 0,
            "attempts": 1,
            "lease_until": LEASE.end(),
            "started_at": now,
            "first_started_at": now,
            "set_aside": 0,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(imports).values(row))
        return import_id

    def extend(self, import_id: str, attempt: int) -> bool:
        """Extend the lease; False if another process has taken over."""
        return self._write(import_id, attempt, lease_until=LEASE.end())

    def report(self, import_id: str, attempt: int, done: int, total: int) -> bool:
        """Extend the lease and record how many documents are done."""
        return self._write(
            import_id,
            attempt,
            lease_until=LEASE.end(),
            done=done,
            total=total,
            read_at=func.coalesce(_columns.read_at, self._clock()),
        )

    def release(self, import_id: str, attempt: int) -> None:
        """End the lease of a process that has ended: another may take over at once."""
        self._write(import_id, attempt, lease_until=None)

    def fail(self, import_id: str, attempt: int, sentence: str) -> None:
        self._write(
            import_id, attempt, state="failed", sentence=sentence, finished_at=self._clock()
        )

    def finish(
        self, import_id: str, attempt: int, report: str, rows: int, set_aside: bytes, fault: str
    ) -> None:
        """Store the report (JSON) and the `rows` set aside (CSV). Failed if there is a fault."""
        result = {
            "state": "failed" if fault else "done",
            "sentence": fault or None,
            "report": report,
            "set_aside": rows,
            "finished_at": self._clock(),
        }
        with self._engine.begin() as connection:
            if connection.execute(self._mine(import_id, attempt).values(**result)).rowcount:
                replace_chunks(connection, import_id, SET_ASIDE, set_aside)

    def give_up(self) -> None:
        """Mark imports as failed that have used up their attempts, and those whose command line
        ended."""
        exhausted = and_(self._free(), _columns.attempts >= MAX_ATTEMPTS)
        self._fail(exhausted, GIVEN_UP)
        self._fail(and_(_lost(), ~is_started), COMMAND_ENDED)

    def _fail(self, which: ColumnElement[bool], sentence: str) -> None:
        with self._reader.connect() as connection:
            # Nearly always there is none, and then no write lock is needed.
            if connection.execute(select(_columns.import_id).where(which).limit(1)).first() is None:
                return
        values = {"state": "failed", "sentence": sentence, "finished_at": self._clock()}
        with self._engine.begin() as connection:
            connection.execute(update(imports).where(which).values(**values))

    def _free(self) -> ColumnElement[bool]:
        return and_(or_(_columns.state == "waiting", _lost()), is_started)

    def _busy(self) -> ColumnElement[bool]:
        other = imports.alias()
        running = and_(other.c.state == "running", ~LEASE.is_free(other.c.lease_until))
        return select(other.c.import_id).where(running).exists()

    def _write(self, import_id: str, attempt: int, **values: Any) -> bool:
        with self._engine.begin() as connection:
            done = connection.execute(self._mine(import_id, attempt).values(**values))
            return done.rowcount == 1

    def _mine(self, import_id: str, attempt: int) -> Any:
        return update(imports).where(
            _columns.import_id == import_id,
            _columns.attempts == attempt,
            _columns.state == "running",
        )


def _lost() -> ColumnElement[bool]:
    """Its process ended without a word."""
    return and_(_columns.state == "running", LEASE.is_free(_columns.lease_until))
