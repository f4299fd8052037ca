"""One row per webhook: how its deliveries go, and who carries them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, insert, select, update

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.webhooks.tables import webhook_endpoints

LEASE = Lease(timedelta(seconds=60))
"""Renewed before each attempt, which takes ten seconds beside the look-up of the name."""

HEALTHY: dict[str, Any] = {"failures": 0, "failing_since": None, "next_attempt_at": None}

_COLUMNS = webhook_endpoints.c


class Overtaken(Exception):
    """The lease ended and somebody else may deliver: what this one did next would not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of webhook_endpoints; see there."""

    webhook_id: str
    event_types: str
    state: str
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    last_success_at: datetime | None
    delivered: int
    failed: int
    replay_after: int
    replay_until: int
    taken_by: str | None
    taken_until: datetime | None

    @property
    def replays(self) -> bool:
        """Whether a replay has events that are no deliveries yet."""
        return self.replay_after < self.replay_until

    def has_rested(self, now: datetime) -> bool:
        """Whether the pause after its last failure is over."""
        return self.next_attempt_at is None or self.next_attempt_at <= now


def _endpoint_of(row: Row[Any]) -> Endpoint:
    return Endpoint(**row._mapping)


def active(connection: Connection) -> list[Endpoint]:
    """All endpoints but the removed ones."""
    found = select(webhook_endpoints).where(_COLUMNS.state != "removed")
    return [_endpoint_of(row) for row in connection.execute(found)]


def get(connection: Connection, webhook_id: str) -> Endpoint:
    """One endpoint, locked until the transaction ends. Raises NoResultFound."""
    found = select(webhook_endpoints).where(_COLUMNS.webhook_id == webhook_id)
    return _endpoint_of(connection.execute(found.with_for_update()).one())


def add(connection: Connection, webhook_id: str, event_types: str) -> None:
    connection.execute(
        insert(webhook_endpoints).values(
            webhook_id=webhook_id,
            event_types=event_types,
            state="running",
            failures=0,
            delivered=0,
            failed=0,
            replay_after=0,
            replay_until=0,
        )
    )


def change(connection: Connection, webhook_id: str, **changes: Any) -> None:
    mine = _COLUMNS.webhook_id == webhook_id
    connection.execute(update(webhook_endpoints).where(mine).values(changes))


class EndpointLeases:
    """At most one process delivers to a webhook; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, webhook_id: str) -> Endpoint | None:
        """The endpoint under a lease of the caller's; None while another's lasts, or where there
        is no such endpoint."""
        free = (_COLUMNS.webhook_id == webhook_id, LEASE.is_free(_COLUMNS.taken_until))
        taken = _write(free, taken_by=new_id(), taken_until=LEASE.end())
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        return _endpoint_of(row) if row else None

    @contextmanager
    def renewed(self, endpoint: Endpoint) -> Iterator[tuple[Connection, Endpoint]]:
        """A transaction with the lease renewed, and the row as it is now. Raises Overtaken when
        the lease is another's by now."""
        with self._engine.begin() as connection:
            renewed = _write(_held(endpoint), taken_until=LEASE.end())
            row = connection.execute(renewed).one_or_none()
            if row is None:
                raise Overtaken(endpoint.webhook_id)
            yield connection, _endpoint_of(row)

    def release(self, endpoint: Endpoint) -> None:
        """Let others take the endpoint; a lease that is another's by now is left alone."""
        with self._engine.begin() as connection:
            connection.execute(_write(_held(endpoint), taken_by=None, taken_until=None))


def _held(endpoint: Endpoint) -> tuple[ColumnElement[bool], ...]:
    return _COLUMNS.webhook_id == endpoint.webhook_id, _COLUMNS.taken_by == endpoint.taken_by


def _write(where: tuple[ColumnElement[bool], ...], **values: Any) -> Any:
    changed = update(webhook_endpoints).where(*where).values(values)
    return changed.returning(webhook_endpoints)
