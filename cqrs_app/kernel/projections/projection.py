"""Projections: a name, tables, and a method for each event handled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, Table, delete

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.projections import digests
from cqrs_app.kernel.projections.rows import Key, ObservedRows, Rows
from cqrs_app.kernel.subscriptions.rehearsal import RowChange
from cqrs_app.kernel.subscriptions.subscription import Store, Subscription

Handler = Callable[[Any, Recorded, Rows], None]


class Projection(Subscription):
    """Base of every projection: a subscription whose rows can be rebuilt from the log.

    A method named after an event, `order_approved` for OrderApproved, handles it: `(event,
    recorded, rows)`. It changes rows of the projection's own tables and nothing else, and must
    produce the same result in every replay.
    """

    store: ClassVar[Store] = "read"
    version: ClassVar[int] = 1
    """Increment it when the tables or the rules change: the projection then requires a rebuild."""
    synchronous: bool = False
    """Whether it is updated in the transaction of each command: see synchronous.py."""
    tables: ClassVar[tuple[Table, ...]] = ()

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.digest_key_of: Callable[[], bytes] = bytes

    @property
    def digest_key(self) -> bytes:
        """The key of the digests of its tables: see digests.py."""
        return self.digest_key_of()

    def own(self) -> Self:
        """A copy for one registry, whose kernel gives it the key of its digests: of two consoles
        in a process, each has its own."""
        own = copy(self)
        own.handlers = {}
        return own

    def bind(self, events: Iterable[type[Event]]) -> None:
        """Find the method of each event type by its name."""
        for event in events:
            method = getattr(self, snake(event.__name__), None)
            if method is not None:
                self.handlers[event.__name__] = method

    def wants(self, event_type: str) -> bool:
        return event_type in self.handlers

    def touched(self, recorded: Recorded) -> Iterable[tuple[Table, Key]]:
        """The rows that an event will read, so that a batch loads them together."""
        return ()

    def apply(self, batch: Iterable[Recorded], rows: Rows) -> None:
        """Apply events, in order."""
        events = list(batch)
        rows.preload(pair for recorded in events for pair in self.touched(recorded))
        for recorded in events:
            self.handlers[recorded.stored.type](recorded.event, recorded, rows)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        self.store_rows(batch, Rows(connection, self.digest_key))

    def store_rows(self, batch: Sequence[Recorded], rows: Rows) -> None:
        """Apply events, in order, and write the rows that they change."""
        self.apply(batch, rows)
        rows.flush()

    def rehearse(self, batch: Sequence[Recorded], connection: Connection) -> Sequence[RowChange]:
        rows = ObservedRows(connection, self.digest_key)
        self.apply(batch, rows)
        rows.flush()
        return rows.changes()

    @contextmanager
    def refilled(self, connection: Connection) -> Iterator[None]:
        """Delete every row; the `with` block then replays all events. Readers see the old rows
        until the commit."""
        for table in reversed(self.tables):
            connection.execute(delete(table))
        digests.forget(connection, self.tables)
        yield

    def create_extras(self, connection: Connection, suffix: str = "") -> None:
        """Create what the tables need besides the indexes that they declare, such as one for
        full-text search. `suffix` ends the names of the tables: see generation.py."""

    def drop_extras(self, connection: Connection, suffix: str = "") -> None:
        """Drop what `create_extras` created, where that does not end with the tables."""

    @contextmanager
    def extras_exchanged(self, connection: Connection, suffix: str) -> Iterator[None]:
        """Exchange what `create_extras` created without a suffix and with it. The `with` block
        exchanges the tables, with their indexes."""
        yield


@lru_cache(1024)
def snake(name: str) -> str:
    """OrderApproved -> order_approved."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
