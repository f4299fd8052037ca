"""Parking of events that fail: the event is parked with its traceback, later events of its stream
wait behind it, and all other streams go on."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cqrs_app.kernel.events.recorded import EventCodec, StoredEvent
from cqrs_app.kernel.privacy.personal import redacted
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.subscriptions.subscription import Overtaken, Store, Subscription

Described = dict[str, str]
"""The columns `error` and `traceback` of the event that failed."""

DATABASE_TROUBLE = (OperationalError, InterfaceError, PoolTimeout)
"""Failures of the database (locked, gone, too slow), never of an event: retried, not parked."""

Take = Callable[[Connection, StoredEvent], None]


class Parking:
    """The parked events of one store."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns = table.c

    def streams(self, connection: Connection, name: str, streams: Iterable[str]) -> set[str]:
        """Those of `streams` that have parked events."""
        mine = self._columns.subscription == name
        if connection.execute(select(self._columns.position).where(mine).limit(1)).first() is None:
            return set()  # the usual case, without sending hundreds of names
        found = select(self._columns.stream).where(mine, self._columns.stream.in_(tuple(streams)))
        return set(connection.execute(found.distinct()).scalars())

    def holds(self, connection: Connection, names: Iterable[str], stream: str) -> bool:
        """Whether one of these subscriptions has parked events of the stream."""
        found = select(self._columns.position).where(
            self._columns.subscription.in_(tuple(names)), self._columns.stream == stream
        )
        return connection.execute(found.limit(1)).first() is not None

    def park(
        self,
        connection: Connection,
        name: str,
        event: StoredEvent,
        at: datetime,
        described: Described | None = None,
    ) -> None:
        """Park one event: with an error if it failed, without one if it waits behind another."""
        connection.execute(
            insert(self._table).values(
                subscription=name,
                position=event.position,
                stream=event.stream,
                version=event.version,
                type=event.type,
                culprit=described is not None,
                attempts=0 if described is None else 1,
                parked_at=at,
                **(described or {}),
            )
        )

    def positions(self, connection: Connection, names: Iterable[str]) -> dict[str, set[int]]:
        """Subscription -> the positions of its parked events, for each of these."""
        found: dict[str, set[int]] = {name: set() for name in names}
        wanted = select(self._columns.subscription, self._columns.position)
        mine = wanted.where(self._columns.subscription.in_(tuple(found)))
        for name, position in connection.execute(mine):
            found[name].add(position)
        return found

    def positions_of(self, connection: Connection, name: str, stream: str) -> list[int]:
        """Positions of a stream's parked events, in order."""
        found = select(self._columns.position).where(
            self._columns.subscription == name, self._columns.stream == stream
        )
        return list(connection.execute(found.order_by(self._columns.position)).scalars())

    def release(
        self,
        connection: Connection,
        name: str,
        events: Sequence[StoredEvent],
        take: Take,
        describe: Callable[[StoredEvent, Exception], Described],
    ) -> int:
        """Process a stream's parked events in order, up to the first that fails again.

        Returns how many succeeded and are no longer parked.
        """
        for done, event in enumerate(events):
            error = take_one(connection, event, take)
            here = (
                self._columns.subscription == name,
                self._columns.position == event.position,
            )
            if error is not None:
                tried = {
                    "culprit": True,
                    "attempts": self._columns.attempts + 1,
                    "cause": None,  # it may be another one
                }
                changed = update(self._table).where(*here).values(tried | describe(event, error))
                connection.execute(changed)
                return done
            connection.execute(delete(self._table).where(*here))
        return len(events)

    def exchange(self, connection: Connection, one: str, other: str) -> None:
        """Give each of two subscriptions the parked events of the other, when their rows are
        exchanged."""
        for old, new in ((one, ""), (other, one), ("", other)):
            mine = update(self._table).where(self._columns.subscription == old)
            connection.execute(mine.values(subscription=new))

    def streams_of_cause(
        self, connection: Connection, cause: str, limit: int
    ) -> list[tuple[str, str]]:
        """(subscription, stream) of the events that failed for this cause, oldest first."""
        found = select(self._columns.subscription, self._columns.stream).where(
            self._columns.cause == cause
        )
        rows = connection.execute(found.order_by(self._columns.position).limit(limit))
        return [(name, stream) for name, stream in rows]

    def forget(
        self, connection: Connection, name: str, positions: Iterable[int] | None = None
    ) -> None:
        """Delete parked events without processing them: all, or those at `positions`."""
        gone = delete(self._table).where(self._columns.subscription == name)
        if positions is not None:
            gone = gone.where(self._columns.position.in_(tuple(positions)))
        connection.execute(gone)


_IN_READ_STORE = Parking(tables.parked_events)
_IN_WRITE_STORE = Parking(tables.subscription_parked)


def parking_in(store: Store) -> Parking:
    return _IN_READ_STORE if store == "read" else _IN_WRITE_STORE


def take_one(connection: Connection, event: StoredEvent, take: Take) -> Exception | None:
    """Process one event in a savepoint. Returns the exception it raised, after the rollback, or
    None."""
    try:
        with connection.begin_nested():
            take(connection, event)
    except (*DATABASE_TROUBLE, Overtaken):
        raise
    except Exception as error:  # noqa: BLE001 - it goes into the parked event's row
        return error
    return None


def taker(subscription: Subscription, codec: EventCodec) -> Take:
    """A function that processes one event."""

    def take(connection: Connection, event: StoredEvent) -> None:
        subscription.take(codec.decode_all([event]), connection)

    return take


def describe(codec: EventCodec, stored: StoredEvent, error: Exception) -> Described:
    """The stored description of an error, without the personal values of the event that raised
    it."""
    try:
        event = codec.decode(stored).event
    except Exception:  # noqa: BLE001 - if it cannot be decoded, that is what `error` is about
        event = None
    lines = "".join(traceback.format_exception(error))
    texts = {"error": f"{type(error).__name__}: {error}", "traceback": lines}
    return {name: redacted(text, event) for name, text in texts.items()}
