"""An operator's notifications: listed, counted, marked as read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.notifications.tables import notifications
from cqrs_app.platform.notifications.words import NotificationKind

SHOWN = 100
_N = notifications.c


@dataclass(frozen=True, slots=True)
class Notification:
    """`position` identifies it among those of its operator; `stream` is what it is about."""

    position: int
    kind: NotificationKind
    sentence: str
    stream: str
    at: datetime
    read_at: datetime | None


class Inbox:
    """The notifications of all operators, in the write store."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def unread(self, operator: str) -> int:
        """How many the operator has not read."""
        found = select(func.count()).where(_N.operator == operator, _N.read_at.is_(None))
        with self._reader.connect() as connection:
            return connection.execute(found).scalar_one()

    def newest(self, operator: str) -> Sequence[Notification]:
        """The newest hundred, newest first."""
        found = select(notifications).where(_N.operator == operator)
        found = found.order_by(_N.position.desc()).limit(SHOWN)
        with self._reader.connect() as connection:
            return [_notification(row) for row in connection.execute(found)]

    def find(self, operator: str, position: int) -> Notification | None:
        found = select(notifications).where(_N.operator == operator, _N.position == position)
        with self._reader.connect() as connection:
            row = connection.execute(found).one_or_none()
        return _notification(row) if row else None

    def mark_read(self, operator: str, position: int | None = None) -> None:
        """Mark one of them as read, or all."""
        unread = update(notifications).where(_N.operator == operator, _N.read_at.is_(None))
        if position is not None:
            unread = unread.where(_N.position == position)
        with self._engine.begin() as connection:
            connection.execute(unread.values(read_at=self._clock()))

    def forget_before(self, moment: datetime) -> int:
        """Delete those of before, read or not; returns how many."""
        with self._engine.begin() as connection:
            return connection.execute(delete(notifications).where(_N.at < moment)).rowcount


def _notification(row: Any) -> Notification:
    return Notification(
        row.position, NotificationKind(row.kind), row.sentence, row.stream, row.at, row.read_at
    )
