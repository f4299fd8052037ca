"""One row per webhook: the state of its deliveries, and the lease of the process that delivers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, insert, select, update

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.webhooks.tables import webhook_endpoints

LEASE = Lease(timedelta(seconds=60))
"""Renewed before each attempt, which takes ten seconds plus the name look-up."""

HEALTHY: dict[str, Any] = {"failures": 0, "failing_since": None, "next_attempt_at": None}

_COLUMNS = webhook_endpoints.c


class Overtaken(Exception):
    """The lease has expired and another process may deliver, so this one must stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of `webhook_endpoints`: see tables.py."""

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
        """Whether a replay has events that are not deliveries yet."""
        return self.replay_after < self.replay_until

    def has_rested(self, now: datetime) -> bool:
        """Whether the pause after its last failure is over."""
        return self.next_attempt_at is None or self.next_attempt_at <= now


def active(connection: Connection) -> list[Endpoint]:
    """All endpoints except removed ones."""
    found = select(webhook_endpoints).where(_COLUMNS.state != "removed")
    return [Endpoint(**row._mapping) for row in connection.execute(found)]


def add(connection: Connection, webhook_id: str, event_types: str) -> None:
    """`event_types` is a JSON list."""
    counts = dict.fromkeys(("failures", "delivered", "failed", "replay_after", "replay_until"), 0)
    row = {"webhook_id": webhook_id, "event_types": event_types, "state": "running"}
    connection.execute(insert(webhook_endpoints).values(row | counts))


def change(connection: Connection, webhook_id: str, **changes: Any) -> Endpoint:
    """Change the endpoint and return it, locked until the transaction ends. Raises LookupError."""
    changed = _update(connection, (_COLUMNS.webhook_id == webhook_id,), changes)
    if changed is None:
        raise LookupError(f"There is no endpoint of the webhook {webhook_id}.")
    return changed


class EndpointLeases:
    """At most one process delivers to a webhook. Every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, webhook_id: str) -> Endpoint | None:
        """The endpoint, leased to the caller; None if another lease is active, or there is no such
        endpoint."""
        free = (_COLUMNS.webhook_id == webhook_id, LEASE.is_free(_COLUMNS.taken_until))
        with self._engine.begin() as connection:
            return _update(connection, free, {"taken_by": new_id(), "taken_until": LEASE.end()})

    @contextmanager
    def renewed(self, taken: Endpoint) -> Iterator[tuple[Connection, Endpoint]]:
        """A transaction with the lease renewed, and the current endpoint. Raises Overtaken if the
        lease was lost."""
        with self._engine.begin() as connection:
            endpoint = _update(connection, _held(taken), {"taken_until": LEASE.end()})
            if endpoint is None:
                raise Overtaken(taken.webhook_id)
            yield connection, endpoint

    def release(self, taken: Endpoint) -> None:
        """End the lease, unless it was lost to another process."""
        with self._engine.begin() as connection:
            _update(connection, _held(taken), {"taken_by": None, "taken_until": None})


def _held(taken: Endpoint) -> tuple[ColumnElement[bool], ...]:
    return _COLUMNS.webhook_id == taken.webhook_id, _COLUMNS.taken_by == taken.taken_by


def _update(
    connection: Connection, where: tuple[ColumnElement[bool], ...], values: dict[str, Any]
) -> Endpoint | None:
    changed = update(webhook_endpoints).where(*where).values(values)
    row = connection.execute(changed.returning(webhook_endpoints)).one_or_none()
    return Endpoint(**row._mapping) if row else None
