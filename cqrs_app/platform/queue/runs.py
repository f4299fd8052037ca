"""What an operator's queue leaves out, and how long each order of it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.queue.tables import queue_runs, queue_skips

_RUN, _SKIP = queue_runs.c, queue_skips.c


@dataclass(frozen=True, slots=True)
class Run:
    """One operator's work at one list; `seconds` are those of all orders `handled`."""

    list: str
    handled: int
    seconds: float

    @property
    def mean_seconds(self) -> float | None:
        """None before the first order was handled."""
        return self.seconds / self.handled if self.handled else None


class Runs:
    """The queues of operators, in the write store: each has one."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def start(self, operator: str, query: str) -> None:
        """The operator begins to work at the list of this query string."""
        values = {"list": query, "started_at": self._clock(), "handled": 0, "seconds": 0.0}
        with self._engine.begin() as connection:
            added = insert_into(connection, queue_runs).values(operator=operator, **values)
            connection.execute(
                added.on_conflict_do_update(index_elements=["operator"], set_=values)
            )

    def count(self, operator: str, claimed_at: datetime) -> None:
        """The operator has handled an order that they claimed then."""
        seconds = max(0.0, (self._clock() - claimed_at).total_seconds())
        with self._engine.begin() as connection:
            connection.execute(
                update(queue_runs)
                .where(_RUN.operator == operator)
                .values(handled=_RUN.handled + 1, seconds=_RUN.seconds + seconds)
            )

    def of(self, operator: str) -> Run | None:
        found = select(_RUN.list, _RUN.handled, _RUN.seconds).where(_RUN.operator == operator)
        with self._reader.connect() as connection:
            row = connection.execute(found).one_or_none()
        return Run(row.list, row.handled, row.seconds) if row else None

    def skip(self, order_id: str, operator: str, until: datetime) -> None:
        """Leave the order out of the operator's queue until then."""
        with self._engine.begin() as connection:
            added = insert_into(connection, queue_skips).values(
                operator=operator, order_id=order_id, until=until
            )
            connection.execute(
                added.on_conflict_do_update(
                    index_elements=["operator", "order_id"], set_={"until": until}
                )
            )

    def skipped(self, operator: str) -> frozenset[str]:
        """The orders left out of the operator's queue now."""
        found = select(_SKIP.order_id).where(
            _SKIP.operator == operator, _SKIP.until > self._clock()
        )
        with self._reader.connect() as connection:
            return frozenset(connection.execute(found).scalars())

    def forget_old(self) -> None:
        """Delete what is not left out any more."""
        with self._engine.begin() as connection:
            connection.execute(delete(queue_skips).where(_SKIP.until <= self._clock()))
