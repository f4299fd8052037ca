"""Who takes in which import: claims with a lease, so that the work of a dead process goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, or_, select, update

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.transfer.uploads.receiving import (
    SET_ASIDE,
    is_started,
    replace_chunks,
    utc_now,
)
from cqrs_app.platform.transfer.uploads.tables import imports

LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 5
"""A file that ends every process that reads it must not keep all of them busy for ever."""

GIVEN_UP = (
    f"The process that took it in ended {MOST_ATTEMPTS} times before it was through. What it took "
    "in until then is kept. Ask whoever runs the console to look at the log of the workers, then "
    "send the file again: it goes on where it was."
)
_columns = imports.c


class Work:
    """One import at a time, on whatever host: two would only get into each other's way."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def due(self) -> str | None:
        """The import that somebody should take up now, if any."""
        found = (
            select(_columns.import_id)
            .where(self._free(), ~self._busy(), _columns.attempts < MOST_ATTEMPTS)
            .order_by(_columns.uploaded_at, _columns.import_id)
            .limit(1)
        )
        with self._reader.connect() as connection:
            return connection.execute(found).scalar_one_or_none()

    def claim(self, import_id: str) -> int | None:
        """The number of this attempt, with which alone one may write; None when it is not free."""
        now = self._clock()
        taken = (
            update(imports)
            .where(
                _columns.import_id == import_id,
                self._free(),
                ~self._busy(),
                _columns.attempts < MOST_ATTEMPTS,
            )
            .values(
                state="running",
                attempts=_columns.attempts + 1,
                lease_until=now + LEASE,
                started_at=now,
            )
            .returning(_columns.attempts)
        )
        with self._engine.begin() as connection:
            attempt: int | None = connection.execute(taken).scalar_one_or_none()
            return attempt

    def extend(self, import_id: str, attempt: int, **progress: int) -> bool:
        """Keep the claim, and tell how far it is; False when another has it by now."""
        return self._write(import_id, attempt, lease_until=self._clock() + LEASE, **progress)

    def release(self, import_id: str, attempt: int) -> None:
        """Whoever had it has ended: another may take it up at once."""
        self._write(import_id, attempt, lease_until=self._clock() - timedelta(seconds=1))

    def fail(self, import_id: str, attempt: int, sentence: str) -> None:
        self._write(
            import_id, attempt, state="failed", sentence=sentence, finished_at=self._clock()
        )

    def finish(
        self, import_id: str, attempt: int, report: str, rows: int, set_aside: bytes, fault: str
    ) -> None:
        """Keep the report (JSON) and the `rows` set aside (CSV); failed where there is a fault."""
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
        """Fail what ended too many processes."""
        worn_out = and_(self._free(), _columns.attempts >= MOST_ATTEMPTS)
        with self._reader.connect() as connection:
            # Nearly always there is none: then nobody has to wait for a writer.
            found = select(_columns.import_id).where(worn_out).limit(1)
            if connection.execute(found).first() is None:
                return
        values = {"state": "failed", "sentence": GIVEN_UP, "finished_at": self._clock()}
        with self._engine.begin() as connection:
            connection.execute(update(imports).where(worn_out).values(**values))

    def _free(self) -> ColumnElement[bool]:
        lost = and_(_columns.state == "running", _columns.lease_until < self._clock())
        return and_(or_(_columns.state == "waiting", lost), is_started)

    def _busy(self) -> ColumnElement[bool]:
        other = imports.alias()
        running = and_(other.c.state == "running", other.c.lease_until >= self._clock())
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
