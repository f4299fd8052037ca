"""Pending deliveries: one row per webhook and event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    false,
    func,
    literal,
    select,
    update,
)

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.webhooks import endpoints
from cqrs_app.platform.webhooks.endpoints import Endpoint
from cqrs_app.platform.webhooks.tables import webhook_deliveries, webhook_endpoints

SLICE = 1_000
"""Events of a replay that become deliveries in one transaction. A single statement for the whole
log would block the only writer of SQLite for three seconds per million events."""

_DELIVERY = webhook_deliveries.c
_ENDPOINT = webhook_endpoints.c
_UNREADABLE = webhook_deliveries.alias("unreadable")


@dataclass(frozen=True, slots=True)
class Delivery:
    """The event at `position` of the log, to be sent to one webhook."""

    webhook_id: str
    position: int
    test: bool


def wanted(event_types: str, sendable: Sequence[str]) -> frozenset[str]:
    """The types selected by this JSON list, among the sendable ones. An empty list selects all."""
    selected = msgspec.json.decode(event_types, type=tuple[str, ...])
    return frozenset(sendable).intersection(selected or sendable)


def add(
    connection: Connection, pairs: Iterable[tuple[str, StoredEvent]], *, test: bool = False
) -> None:
    """Queue these events for these webhooks. Deliveries that are already pending stay unchanged."""
    rows = [
        {
            "webhook_id": webhook_id,
            "position": stored.position,
            "stream": stored.stream,
            "test": test,
        }
        for webhook_id, stored in pairs
    ]
    if rows:
        row = insert_into(connection, webhook_deliveries).on_conflict_do_nothing()
        connection.execute(row, rows)


def replay(connection: Connection, endpoint: Endpoint, after: int, until: int) -> None:
    """Send the events after position `after` again, up to and including `until`, together with the
    rest of an earlier replay. Does nothing if there are none."""
    after = min(after, endpoint.replay_after) if endpoint.replays else after
    if after < until:
        endpoints.change(connection, endpoint.webhook_id, replay_after=after, replay_until=until)


def fill(connection: Connection, endpoint: Endpoint, sendable: Sequence[str]) -> None:
    """Turn the next SLICE of an endpoint's replay into deliveries."""
    last = min(endpoint.replay_after + SLICE, endpoint.replay_until)
    found = select(literal(endpoint.webhook_id), events.c.position, events.c.stream, false()).where(
        events.c.position > endpoint.replay_after,
        events.c.position <= last,
        events.c.type.in_(wanted(endpoint.event_types, sendable)),
    )
    names = ["webhook_id", "position", "stream", "test"]
    row = insert_into(connection, webhook_deliveries).from_select(names, found)
    connection.execute(row.on_conflict_do_nothing())
    endpoints.change(connection, endpoint.webhook_id, replay_after=last)


def take_back(connection: Connection, webhook_id: str) -> int | None:
    """Delete the pending deliveries; returns the position of the first. Tests are kept, and so are
    streams that are set aside, since later events of theirs may have been sent."""
    aside = select(_UNREADABLE.c.stream).where(
        _UNREADABLE.c.webhook_id == webhook_id, _UNREADABLE.c.retry_at.is_not(None)
    )
    mine = (_DELIVERY.webhook_id == webhook_id, ~_DELIVERY.test, _DELIVERY.stream.not_in(aside))
    first = connection.execute(select(func.min(_DELIVERY.position)).where(*mine)).scalar()
    connection.execute(delete(webhook_deliveries).where(*mine))
    return first


def drop(connection: Connection, webhook_id: str) -> None:
    """Delete all pending deliveries."""
    connection.execute(delete(webhook_deliveries).where(_DELIVERY.webhook_id == webhook_id))


def remove(connection: Connection, delivery: Delivery) -> None:
    """Delete a delivery that was sent."""
    connection.execute(delete(webhook_deliveries).where(*_this(delivery)))


def set_aside(connection: Connection, delivery: Delivery, until: datetime) -> None:
    """Send no events of its stream until then. Other streams continue."""
    connection.execute(update(webhook_deliveries).where(*_this(delivery)).values(retry_at=until))


def retry_now(connection: Connection, webhook_id: str) -> None:
    """Retry streams that are set aside at once."""
    mine = (_DELIVERY.webhook_id == webhook_id, _DELIVERY.retry_at.is_not(None))
    connection.execute(update(webhook_deliveries).where(*mine).values(retry_at=None))


def next_test(connection: Connection, webhook_id: str) -> Delivery | None:
    """The first pending test."""
    return _first(connection, _DELIVERY.webhook_id == webhook_id, _DELIVERY.test)


def next_event(connection: Connection, webhook_id: str, now: datetime) -> Delivery | None:
    """The first pending event, except those of streams that are set aside."""
    return _first(
        connection, _DELIVERY.webhook_id == webhook_id, _is_readable(literal(webhook_id), now)
    )


def due(connection: Connection, now: datetime) -> list[str]:
    """The webhooks that have something to send now and that no process delivers to."""
    mine = select(_DELIVERY.position).where(_DELIVERY.webhook_id == _ENDPOINT.webhook_id)
    # ORDER BY makes the database use the index by webhook, however many deliveries other webhooks
    # have.
    first = mine.where(_is_readable(_ENDPOINT.webhook_id, now)).order_by(_DELIVERY.position)
    waits = first.limit(1).scalar_subquery().is_not(None)
    replays = _ENDPOINT.replay_after < _ENDPOINT.replay_until
    rested = _ENDPOINT.next_attempt_at.is_(None) | (_ENDPOINT.next_attempt_at <= now)
    found = select(_ENDPOINT.webhook_id).where(
        endpoints.LEASE.is_free(_ENDPOINT.taken_until),
        mine.where(_DELIVERY.test).exists()
        | ((_ENDPOINT.state == "running") & rested & (replays | waits)),
    )
    return list(connection.execute(found.order_by(_ENDPOINT.webhook_id)).scalars())


def _is_readable(webhook_id: ColumnElement[str], now: datetime) -> ColumnElement[bool]:
    aside = select(_UNREADABLE.c.stream).where(
        _UNREADABLE.c.webhook_id == webhook_id, _UNREADABLE.c.retry_at > now
    )
    return _DELIVERY.stream.not_in(aside.correlate(webhook_endpoints))


def _first(connection: Connection, *conditions: ColumnElement[bool]) -> Delivery | None:
    found = select(_DELIVERY.webhook_id, _DELIVERY.position, _DELIVERY.test).where(*conditions)
    row = connection.execute(found.order_by(_DELIVERY.position).limit(1)).one_or_none()
    return Delivery(*row) if row else None


def _this(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (
        _DELIVERY.webhook_id == delivery.webhook_id,
        _DELIVERY.position == delivery.position,
    )
