"""The rules for running a projection: pause, resume, retry, skip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.runtime.commands import (
    PauseProjection,
    ResumeProjection,
    RetryParkedEvents,
    SkipParkedEvent,
)
from cqrs_app.platform.runtime.events import (
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionResumed,
)


@dataclass
class ProjectionControl(Aggregate):
    """One per projection."""

    category: ClassVar[str] = "projection"
    identity: ClassVar[str] = "projection"

    paused: bool = False

    def pause(self, command: PauseProjection) -> Iterator[Event]:
        if self.paused:
            raise Refused("already_paused", f"{command.projection} is paused already.")
        yield ProjectionPaused(projection=command.projection)

    def resume(self, command: ResumeProjection) -> Iterator[Event]:
        if not self.paused:
            raise Refused("not_paused", f"{command.projection} is not paused.")
        yield ProjectionResumed(projection=command.projection)

    def retry_parked(self, command: RetryParkedEvents) -> Iterator[Event]:
        yield ParkedEventsRetried(projection=command.projection, stream=command.stream)

    def skip_parked(self, command: SkipParkedEvent) -> Iterator[Event]:
        yield ParkedEventSkipped(
            projection=command.projection, stream=command.stream, reason=command.reason
        )

    def evolve(self, event: Event, at: datetime) -> None:
        if isinstance(event, ProjectionPaused):
            self.paused = True
        elif isinstance(event, ProjectionResumed):
            self.paused = False


def known_projections(names: frozenset[str]) -> Middleware:
    """Refuses a task on a projection that does not exist."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        name = getattr(call.command, ProjectionControl.identity, None)
        if call.stream.startswith(f"{ProjectionControl.category}-") and name not in names:
            raise Refused("no_such_projection", f"There is no projection called {name}.")
        return proceed(call)

    return check
