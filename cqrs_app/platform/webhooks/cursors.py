"""How far each webhook is. Whoever delivers holds a lease on its row; nobody else changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.webhooks.tables import webhook_attempts, webhook_cursors

LEASE = timedelta(seconds=60)
"""Renewed before each attempt, which takes ten seconds beside the look-up of the name."""

KEPT_ATTEMPTS = 50
PRUNED_EVERY = 20

_CURSOR = webhook_cursors.c
_ATTEMPT = webhook_attempts.c


class Overtaken(Exception):
    """The lease ended and somebody else may deliver: what this one did next would not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """One row of webhook_cursors; see there."""

    webhook_id: str
    position: int
    acted_version: int
    state: str
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    last_success_at: datetime | None
    delivered: int
    failed: int
    taken_by: str | None
    taken_until: datetime | None


def cursor_of(row: Row[Any]) -> Cursor:
    return Cursor(**row._mapping)


class Cursors:
    """Every method is one short transaction on the write store."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, webhook_id: str, position: int) -> None:
        """A row for a webhook that has none: it starts behind `position`."""
        row = insert_into(self._engine, webhook_cursors).values(
            webhook_id=webhook_id,
            position=position,
            acted_version=0,
            state="running",
            failures=0,
            delivered=0,
            failed=0,
        )
        with self._engine.begin() as connection:
            connection.execute(row.on_conflict_do_nothing())

    def take(self, webhook_id: str) -> Cursor | None:
        """The row under a lease of the caller's own; None while another's lasts."""
        now = self._clock()
        free = _CURSOR.taken_until.is_(None) | (_CURSOR.taken_until <= now)
        taken = (
            update(webhook_cursors)
            .where(_CURSOR.webhook_id == webhook_id, free)
            .values(taken_by=new_id(), taken_until=now + LEASE)
            .returning(webhook_cursors)
        )
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        return cursor_of(row) if row else None

    def save(self, cursor: Cursor, attempt: dict[str, Any] | None = None, **changes: Any) -> Cursor:
        """The row with `changes`, its lease renewed, and the attempt they came from. Raises
        Overtaken when the lease or the position is another's by now."""
        with self._engine.begin() as connection:
            saved = _save(connection, cursor, changes | {"taken_until": self._clock() + LEASE})
            if attempt:
                values = {"webhook_id": cursor.webhook_id, **attempt}
                connection.execute(insert(webhook_attempts).values(values))
                if (saved.delivered + saved.failed) % PRUNED_EVERY == 0:
                    _prune(connection, cursor.webhook_id)
        return saved

    def release(self, cursor: Cursor) -> None:
        """Let others take the row; a lease that is another's by now is left alone."""
        with self._engine.begin() as connection:
            connection.execute(
                update(webhook_cursors).where(_held(cursor)).values(taken_by=None, taken_until=None)
            )


def _held(cursor: Cursor) -> Any:
    return (_CURSOR.webhook_id == cursor.webhook_id) & (_CURSOR.taken_by == cursor.taken_by)


def _save(connection: Connection, cursor: Cursor, changes: dict[str, Any]) -> Cursor:
    saved = (
        update(webhook_cursors)
        .where(_held(cursor), _CURSOR.position == cursor.position)
        .values(changes)
        .returning(webhook_cursors)
    )
    row = connection.execute(saved).one_or_none()
    if row is None:
        raise Overtaken(cursor.webhook_id)
    return cursor_of(row)


def _prune(connection: Connection, webhook_id: str) -> None:
    mine = _ATTEMPT.webhook_id == webhook_id
    kept = select(_ATTEMPT.id).where(mine).order_by(_ATTEMPT.id.desc()).limit(KEPT_ATTEMPTS)
    connection.execute(delete(webhook_attempts).where(mine, _ATTEMPT.id.not_in(kept)))
