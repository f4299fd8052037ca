"""When a task is due again, in one row, so that one process of all hosts does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, or_, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.alerts.tables import alert_tasks

LEASE = Lease(timedelta(seconds=60))
_ROW = alert_tasks.c


@dataclass(slots=True)
class Turn:
    """One turn; whoever has it sets `error`, a sentence, if the task could not be done."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Turns:
    """Those of one task, every so often, and `after_error` if that is sooner."""

    name: str
    every: timedelta
    after_error: timedelta = timedelta(seconds=10)

    def is_due(self, engine: Engine, now: datetime) -> bool:
        mine = select(_ROW.due_at, _ROW.taken_until).where(_ROW.name == self.name)
        free = mine.where(LEASE.is_free(_ROW.taken_until))
        with reader_of(engine).connect() as connection:
            if connection.execute(mine).first() is None:
                return True
            return any(self._has_come(row.due_at, now) for row in connection.execute(free))

    @contextmanager
    def taken(self, kernel: Kernel) -> Iterator[Turn | None]:
        """The caller's turn, or None if it is not due. If the block raises, the next caller tries
        again."""
        engine, now = kernel.engines.write, kernel.clock()
        mine = _ROW.name == self.name
        first = insert_into(engine, alert_tasks).values(name=self.name, due_at=now, error="")
        # A clock that was set back must not stop the task.
        due = or_(_ROW.due_at <= now, _ROW.due_at > now + self.every)
        take = update(alert_tasks).where(mine, due, LEASE.is_free(_ROW.taken_until))
        with engine.begin() as connection:
            connection.execute(first.on_conflict_do_nothing())
            got = connection.execute(take.values(taken_until=LEASE.end())).rowcount == 1
        if not got:
            yield None
            return
        turn, changes = Turn(), {}
        try:
            yield turn
            again = self.after_error if turn.error else self.every
            changes = {"due_at": now + min(again, self.every), "error": turn.error}
            changes |= {} if turn.error else {"done_at": kernel.clock()}
        finally:
            with engine.begin() as connection:
                connection.execute(
                    update(alert_tasks).where(mine).values(taken_until=None, **changes)
                )

    def last(self, engine: Engine) -> datetime | None:
        """When it last succeeded."""
        found = select(_ROW.done_at).where(_ROW.name == self.name)
        with reader_of(engine).connect() as connection:
            at: datetime | None = connection.execute(found).scalar()
        return at

    def _has_come(self, due_at: datetime, now: datetime) -> bool:
        return due_at <= now or due_at > now + self.every
