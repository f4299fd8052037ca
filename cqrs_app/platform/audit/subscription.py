"""Queues security events for the system that they are sent to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.audit.entries import EVENTS
from cqrs_app.platform.audit.tables import audit_unsent


class QueueSecurityEvents(Subscription):
    """`enabled` is false where no system wants them. Sending begins with the events after that."""

    name: ClassVar[str] = "audit_stream"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = EVENTS

    def __init__(self, *, enabled: bool = False) -> None:
        self._enabled = enabled

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        rows = [{"position": recorded.stored.position} for recorded in batch]
        if self._enabled and rows:
            connection.execute(insert_into(connection, audit_unsent).on_conflict_do_nothing(), rows)
