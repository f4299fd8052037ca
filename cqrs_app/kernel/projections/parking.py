"""Poison events: the culprit is set aside with its traceback, its stream waits behind it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.personal import hidden
from cqrs_app.kernel.store.tables import parked_events

_COLUMNS = parked_events.c

Told = dict[str, str]
"""The columns `error` and `traceback` of a culprit."""

DATABASE_TROUBLE = (OperationalError, InterfaceError)
"""The database's fault (locked, gone, too slow), never an event's: tried again, not parked."""


def parked_streams(connection: Connection, projection: str, streams: Iterable[str]) -> set[str]:
    """Those of `streams` that wait behind a parked event."""
    of_mine = select(_COLUMNS.position).where(_COLUMNS.projection == projection).limit(1)
    if connection.execute(of_mine).first() is None:
        return set()  # nearly always, and without sending hundreds of names
    found = select(_COLUMNS.stream).where(
        _COLUMNS.projection == projection, _COLUMNS.stream.in_(tuple(streams))
    )
    return set(connection.execute(found.distinct()).scalars())


def park(
    connection: Connection,
    projection: str,
    event: StoredEvent,
    at: datetime,
    told: Told | None = None,
) -> None:
    """Set one event aside: the culprit with what is told of its error, or one that must wait
    behind it."""
    connection.execute(
        insert(parked_events).values(
            projection=projection,
            position=event.position,
            stream=event.stream,
            version=event.version,
            type=event.type,
            culprit=told is not None,
            attempts=0 if told is None else 1,
            parked_at=at,
            **(told or {}),
        )
    )


def apply_one(
    connection: Connection, event: StoredEvent, take: Callable[[Connection, StoredEvent], None]
) -> Exception | None:
    """Take in one event in a savepoint. Returns what it raised, after undoing it, or None."""
    try:
        with connection.begin_nested():
            take(connection, event)
    except DATABASE_TROUBLE:
        raise
    except Exception as error:  # noqa: BLE001 - it goes into the parked event's row
        return error
    return None


def positions_of(connection: Connection, projection: str, stream: str) -> list[int]:
    """Positions of a stream's parked events, in order."""
    found = select(_COLUMNS.position).where(
        _COLUMNS.projection == projection, _COLUMNS.stream == stream
    )
    return list(connection.execute(found.order_by(_COLUMNS.position)).scalars())


def release(
    connection: Connection,
    projection: str,
    events: Sequence[StoredEvent],
    take: Callable[[Connection, StoredEvent], None],
    tell: Callable[[StoredEvent, Exception], Told],
) -> int:
    """Apply a stream's parked events in order, up to the first that fails again.

    Returns how many were applied and are no longer parked.
    """
    for done, event in enumerate(events):
        error = apply_one(connection, event, take)
        here = (_COLUMNS.projection == projection, _COLUMNS.position == event.position)
        if error is not None:
            tried = {"culprit": True, "attempts": _COLUMNS.attempts + 1, **tell(event, error)}
            connection.execute(update(parked_events).where(*here).values(tried))
            return done
        connection.execute(delete(parked_events).where(*here))
    return len(events)


def forget(connection: Connection, projection: str, positions: Iterable[int] | None = None) -> None:
    """Take events off the parked list without applying them: all of them, or some."""
    gone = delete(parked_events).where(_COLUMNS.projection == projection)
    if positions is not None:
        gone = gone.where(_COLUMNS.position.in_(tuple(positions)))
    connection.execute(gone)


def told(error: Exception, event: Event | None) -> Told:
    """What is kept of an error: never the personal values of the event it was raised by."""
    lines = "".join(traceback.format_exception(error))
    texts = {"error": f"{type(error).__name__}: {error}", "traceback": lines}
    return {name: hidden(text, event) for name, text in texts.items()}
