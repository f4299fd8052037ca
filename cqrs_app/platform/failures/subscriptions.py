"""Carries out what was decided about failures, in the store that holds what it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from sqlalchemy import ColumnElement, Connection, update

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
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.tables import failures


class Retries(Subscription):
    """Releases the parked events of a cause, in the transaction of this store."""

    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (FailureRetried,)

    def attach(self, control: Controls) -> None:
        self._control = control

    def preview(self, cause: str, streams: int) -> Iterator[Rehearsal]:
        """What a retry would come to now."""
        return self._control.rehearse(self.store, cause, streams)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            self._carry_out(recorded, connection)

    def _carry_out(self, recorded: Recorded, connection: Connection) -> None:
        event = recorded.event
        if isinstance(event, FailureRetried):
            self._control.release_cause(connection, self.store, event.failure_id, event.streams)


class ReadStoreRetries(Retries):
    name: ClassVar[str] = "projection_retries"
    store: ClassVar[Store] = "read"


class WriteStoreFailures(Retries):
    """Also keeps the state in the failure's row, and sends failed commands again."""

    name: ClassVar[str] = "failures"
    store: ClassVar[Store] = "write"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        FailureRetried,
        FailureResolved,
        FailureIgnored,
        FailureReopened,
    )

    def __init__(self, failed_commands: FailedCommands | None = None) -> None:
        self._failed_commands = failed_commands

    def _carry_out(self, recorded: Recorded, connection: Connection) -> None:
        super()._carry_out(recorded, connection)
        match recorded.event:
            case FailureRetried(failure_id=failure_id, streams=limit) if self._failed_commands:
                self._failed_commands.retry(connection, failure_id, limit)
            case FailureResolved(failure_id=failure_id):
                values = {"state": "resolved", "resolved_at": recorded.recorded_at}
                # One that came back since it was resolved stays open.
                before = failures.c.last_seen <= recorded.recorded_at
                _change(connection, failure_id, values, before)
            case FailureIgnored(failure_id=failure_id, until=until):
                _change(connection, failure_id, {"state": "ignored", "ignored_until": until})
            case FailureReopened(failure_id=failure_id):
                _change(connection, failure_id, {"state": "open"})


def _change(
    connection: Connection, failure_id: str, values: dict[str, object], *where: ColumnElement[bool]
) -> None:
    mine = failures.c.failure_id == failure_id
    connection.execute(update(failures).where(mine, *where).values(values))
