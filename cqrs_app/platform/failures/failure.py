"""The commands on a failure. Whether it is open is in its row, since it opens by itself when it
comes back; so the rules are asked of the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.failures.commands import (
    IgnoreFailure,
    ReopenFailure,
    ResolveFailure,
    RetryFailure,
)
from cqrs_app.platform.failures.events import (
    FailureIgnored,
    FailureReopened,
    FailureResolved,
    FailureRetried,
)

UNKNOWN = Refusal("no_such_failure", "There is no failure of this number, or it is long past.")
NO_RETRY = Refusal(
    "nothing_to_retry", "It is a failure of something that can be repeated elsewhere only."
)
RETRIED = ("event", "command")
"""Kinds of failures: their events are parked, their commands in the log."""
ALREADY_RESOLVED = Refusal("already_resolved", "It is already resolved.")
ALREADY_OPEN = Refusal("already_open", "It is already open.")
PAST = Refusal("past_moment", "It is to be ignored until a moment that has passed.")


@dataclass(frozen=True, slots=True)
class FailureState:
    """What the rules need of a failure's row. `state` is open, resolved or ignored."""

    kind: str
    state: str


FailureStates = Callable[[str], FailureState | None]
"""The kind and state of the failure with this id, or None."""


@dataclass
class Failure(Aggregate):
    """What was done about one failure. It needs no state: see `possible`."""

    category: ClassVar[str] = "failure"
    identity: ClassVar[str] = "failure_id"

    @handles(RetryFailure, refusals=[UNKNOWN, NO_RETRY])
    def retry(self, command: RetryFailure) -> Iterator[Event]:
        yield FailureRetried(failure_id=command.failure_id, streams=command.streams)

    @handles(ResolveFailure, refusals=[UNKNOWN, ALREADY_RESOLVED])
    def resolve(self, command: ResolveFailure) -> Iterator[Event]:
        yield FailureResolved(failure_id=command.failure_id)

    @handles(IgnoreFailure, refusals=[UNKNOWN, PAST])
    def ignore(self, command: IgnoreFailure) -> Iterator[Event]:
        yield FailureIgnored(failure_id=command.failure_id, until=command.until)

    @handles(ReopenFailure, refusals=[UNKNOWN, ALREADY_OPEN])
    def reopen(self, command: ReopenFailure) -> Iterator[Event]:
        yield FailureReopened(failure_id=command.failure_id)

    def evolve(self, event: Event, at: datetime) -> None:
        """Nothing to remember."""


def possible(state_of: FailureStates) -> Middleware:
    """Refuse what makes no sense for the failure as it is now."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, RetryFailure | ResolveFailure | IgnoreFailure | ReopenFailure):
            failure = state_of(command.failure_id)
            if failure is None:
                raise UNKNOWN.because(
                    f"There is no failure {command.failure_id}.", "The Failures page lists them."
                )
            _require(command, failure, call.received_at)
        return proceed(call)

    return check


def _require(
    command: RetryFailure | ResolveFailure | IgnoreFailure | ReopenFailure,
    failure: FailureState,
    now: datetime,
) -> None:
    match command:
        case RetryFailure() if failure.kind not in RETRIED:
            raise NO_RETRY.because("Only parked events and actions can be retried here.")
        case ResolveFailure() if failure.state == "resolved":
            raise ALREADY_RESOLVED.because("It is already resolved.")
        case ReopenFailure() if failure.state == "open":
            raise ALREADY_OPEN.because("It is already open.")
        case IgnoreFailure(until=until) if until <= now:
            raise PAST.because("That moment has passed.", "Choose a later one.")
        case _:
            pass
