"""The follower's own books on the write store: its place in the log, deadlines, and wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, select, update

from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment.tables import (
    fulfilment_cursor,
    fulfilment_deadlines,
    fulfilment_wants,
)
from cqrs_app.areas.fulfilment.words import Stage
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.store.engines import insert_into, reader_of

NAME = "log"
MOST_AT_ONCE = 500
_WANTING = frozenset({Stage.RESERVING, Stage.OUT_OF_STOCK})


class Book:
    """Every method is one short transaction; all of them come to the same when repeated."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def position(self) -> int:
        """The last event of the log that was reacted to."""
        found = select(fulfilment_cursor.c.position).where(fulfilment_cursor.c.name == NAME)
        with self._reader.connect() as connection:
            return connection.execute(found).scalar() or 0

    def wanting(self, sku: str) -> list[str]:
        """The orders that would be glad of this product, the longest waiting first."""
        columns = fulfilment_wants.c
        found = select(columns.order_id).where(columns.sku == sku).order_by(columns.position)
        with self._reader.connect() as connection:
            return list(connection.execute(found).scalars())

    def overdue(self) -> list[tuple[str, int]]:
        """Orders and their move numbers whose deadline has passed, the oldest first."""
        columns = fulfilment_deadlines.c
        found = (
            select(columns.order_id, columns.move_no)
            .where(columns.due_at <= self._clock())
            .order_by(columns.due_at)
            .limit(MOST_AT_ONCE)
        )
        with self._reader.connect() as connection:
            return [(row.order_id, row.move_no) for row in connection.execute(found)]

    def forget(self, deadlines: Iterable[tuple[str, int]]) -> None:
        """Drop deadlines that were told; one that has been set anew since then stays."""
        columns = fulfilment_deadlines.c
        with self._engine.begin() as connection:
            for order_id, move_no in deadlines:
                told = (columns.order_id == order_id) & (columns.move_no <= move_no)
                connection.execute(delete(fulfilment_deadlines).where(told))

    def want(self, sent: Iterable[Recorded]) -> None:
        """Keep which products the orders that these tasks are about would be glad of."""
        rows = [
            {
                "sku": recorded.event.subject,
                "order_id": recorded.event.order_id,
                "position": recorded.stored.position or 0,
            }
            for recorded in sent
            if isinstance(recorded.event, was.FulfilmentTaskSent)
            and recorded.event.task == "ReserveStock"
        ]
        if rows:
            with self._engine.begin() as connection:
                row = insert_into(connection, fulfilment_wants).on_conflict_do_nothing()
                connection.execute(row, rows)

    def move(self, after: int, until: int, seen: Iterable[Recorded]) -> None:
        """Keep what these events say of deadlines and wants, and that the log was reacted to up
        to `until`. Where somebody else was first, nothing changes."""
        with self._engine.begin() as connection:
            if self._moved(connection, after, until):
                for recorded in seen:
                    if isinstance(recorded.event, was.FulfilmentMoved):
                        self._keep_move(connection, recorded.event, recorded.occurred_at)

    def _moved(self, connection: Connection, after: int, until: int) -> bool:
        row = insert_into(connection, fulfilment_cursor).values(name=NAME, position=0)
        connection.execute(row.on_conflict_do_nothing())
        columns = fulfilment_cursor.c
        here = (columns.name == NAME) & (columns.position == after)
        moved = update(fulfilment_cursor).where(here).values(position=until)
        return connection.execute(moved).rowcount == 1

    def _keep_move(self, connection: Connection, moved: was.FulfilmentMoved, at: datetime) -> None:
        deadlines, wants = fulfilment_deadlines.c, fulfilment_wants.c
        connection.execute(delete(fulfilment_deadlines).where(deadlines.order_id == moved.order_id))
        if moved.within is not None:
            row = insert_into(connection, fulfilment_deadlines).values(
                order_id=moved.order_id,
                move_no=moved.move_no,
                due_at=at + timedelta(seconds=moved.within),
            )
            connection.execute(row)
        if moved.stage not in _WANTING:
            connection.execute(delete(fulfilment_wants).where(wants.order_id == moved.order_id))
