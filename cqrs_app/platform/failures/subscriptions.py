"""Carries out what was decided about failures, in the store that holds what it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from sqlalchemy import Connection, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.subscriptions.rehearsal import Rehearsal
from cqrs_app.kernel.subscriptions.subscription import Controls, Store, Subscription
from cqrs_app.platform.failures.events import (
    FailureIgnored,
    FailureReopened,
    FailureResolved,
    FailureRetried,
)
from cqrs_app.platform.failures.tables import failures


class Retries(Subscription):
    """Releases the parked events of a cause: one subscription per store, in whose transaction the
    events are processed."""

    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (FailureRetried,)

    def attach(self, control: Controls) -> None:
        self._control = control

    def preview(self, cause: str, streams: int) -> Iterator[Rehearsal]:
        """What a retry would come to now."""
        return self._control.rehearse(self.store, cause, streams)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            event = recorded.event
            if isinstance(event, FailureRetried):
                self._control.release_cause(connection, self.store, event.failure_id, event.streams)


class ReadStoreRetries(Retries):
    name: ClassVar[str] = "projection_retries"
    store: ClassVar[Store] = "read"


class WriteStoreRetries(Retries):
    name: ClassVar[str] = "subscription_retries"
    store: ClassVar[Store] = "write"


class FailureStates(Subscription):
    """Keeps the state in the failure's row."""

    name: ClassVar[str] = "failure_states"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (
        FailureResolved,
        FailureIgnored,
        FailureReopened,
    )

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            change = update(failures)
            match recorded.event:
                case FailureResolved(failure_id=failure_id):
                    # One that came back since it was resolved stays open.
                    change = change.where(failures.c.last_seen <= recorded.recorded_at)
                    values = {"state": "resolved", "resolved_at": recorded.recorded_at}
                case FailureIgnored(failure_id=failure_id, until=until):
                    values = {"state": "ignored", "ignored_until": until}
                case FailureReopened(failure_id=failure_id):
                    values = {"state": "open"}
                case _:
                    continue
            connection.execute(change.where(failures.c.failure_id == failure_id).values(**values))
