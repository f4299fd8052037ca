"""What a projection is: a name, tables of its own, and a method per event it takes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import Connection, Table, delete

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.projections.rows import Key, Rows

Handler = Callable[[Any, Recorded, Rows], None]


class Projection:
    """Base of every projection.

    A method named after an event, `order_approved` for OrderApproved, takes that event:
    `(event, recorded, rows)`. It changes rows of the projection's own tables and nothing else;
    it must come to the same result whenever it is replayed.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Counted up when the tables or the rules change: the projection then asks for a rebuild."""
    tables: ClassVar[tuple[Table, ...]] = ()

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def bind(self, events: Iterable[type[Event]]) -> None:
        """Find the method for each event type, by its name."""
        for event in events:
            method = getattr(self, snake(event.__name__), None)
            if method is not None:
                self.handlers[event.__name__] = method

    def touched(self, recorded: Recorded) -> Iterable[tuple[Table, Key]]:
        """The rows an event will look at, so that a batch loads them together."""
        return ()

    def apply(self, batch: Iterable[Recorded], rows: Rows) -> None:
        """Take in events, in order."""
        events = list(batch)
        rows.preload(pair for recorded in events for pair in self.touched(recorded))
        for recorded in events:
            self.handlers[recorded.stored.type](recorded.event, recorded, rows)

    def take(self, connection: Connection, batch: Iterable[Recorded], runner: Any) -> None:
        """Take in events and write the rows, in the caller's transaction."""
        rows = Rows(connection)
        self.apply(batch, rows)
        rows.flush()

    @contextmanager
    def refilled(self, connection: Connection) -> Iterator[None]:
        """Delete every row; within, all events are taken in again. Whoever reads meanwhile still
        sees the old rows until the commit."""
        for table in reversed(self.tables):
            connection.execute(delete(table))
        yield


def snake(name: str) -> str:
    """OrderApproved -> order_approved."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
