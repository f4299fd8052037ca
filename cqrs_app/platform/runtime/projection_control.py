"""The rules for controlling a subscription: pause, resume, retry, skip."""

from __future__ import annotations

from collections.abc import Iterator
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
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    PauseProjection,
    RebuildBeside,
    RepairProjection,
    ResumeProjection,
    RetryParkedEvents,
    SkipParkedEvent,
    SwapProjection,
    SwitchBack,
)
from cqrs_app.platform.runtime.events import (
    ComparisonRequested,
    GenerationDropped,
    ParkedEventSkipped,
    ParkedEventsRetried,
    ProjectionPaused,
    ProjectionRepairRequested,
    ProjectionResumed,
    ProjectionSwapped,
    ProjectionSwitchedBack,
    RebuildBesideStarted,
)

UNKNOWN = Refusal(
    "no_such_projection", "There is no projection or other subscription of this name."
)
ALREADY_PAUSED = Refusal("already_paused", "It is already paused.")
NOT_PAUSED = Refusal("not_paused", "It is not paused.")
NO_PROJECTION = Refusal("no_projection", "It is no projection, and cannot be rebuilt from events.")
NOT_READY = Refusal("not_ready", "The rows beside the live ones are not ready for it.")


@dataclass
class ProjectionControl(Aggregate):
    """One per subscription. Named after projections, which most subscriptions are."""

    category: ClassVar[str] = "projection"
    identity: ClassVar[str] = "projection"

    paused: bool = False

    @handles(PauseProjection, refusals=[UNKNOWN, ALREADY_PAUSED])
    def pause(self, command: PauseProjection) -> Iterator[Event]:
        if self.paused:
            raise ALREADY_PAUSED.because(f"{command.projection} is already paused.")
        yield ProjectionPaused(projection=command.projection)

    @handles(ResumeProjection, refusals=[UNKNOWN, NOT_PAUSED])
    def resume(self, command: ResumeProjection) -> Iterator[Event]:
        if not self.paused:
            raise NOT_PAUSED.because(f"{command.projection} is not paused.")
        yield ProjectionResumed(projection=command.projection)

    @handles(RetryParkedEvents, refusals=[UNKNOWN])
    def retry_parked(self, command: RetryParkedEvents) -> Iterator[Event]:
        yield ParkedEventsRetried(projection=command.projection, stream=command.stream)

    @handles(SkipParkedEvent, refusals=[UNKNOWN])
    def skip_parked(self, command: SkipParkedEvent) -> Iterator[Event]:
        yield ParkedEventSkipped(
            projection=command.projection, stream=command.stream, reason=command.reason
        )

    # What stands against these is known to the read store: see generation_rules.
    @handles(RebuildBeside, refusals=[UNKNOWN, NO_PROJECTION, NOT_READY])
    def rebuild_beside(self, command: RebuildBeside) -> Iterator[Event]:
        yield RebuildBesideStarted(projection=command.projection)

    @handles(CompareGenerations, refusals=[UNKNOWN, NO_PROJECTION, NOT_READY])
    def compare(self, command: CompareGenerations) -> Iterator[Event]:
        yield ComparisonRequested(projection=command.projection)

    @handles(SwapProjection, refusals=[UNKNOWN, NO_PROJECTION, NOT_READY])
    def swap(self, command: SwapProjection) -> Iterator[Event]:
        yield ProjectionSwapped(
            projection=command.projection, accepted_differences=command.accept_differences
        )

    @handles(SwitchBack, refusals=[UNKNOWN, NO_PROJECTION, NOT_READY])
    def switch_back(self, command: SwitchBack) -> Iterator[Event]:
        yield ProjectionSwitchedBack(projection=command.projection)

    @handles(DropGeneration, refusals=[UNKNOWN, NO_PROJECTION, NOT_READY])
    def drop(self, command: DropGeneration) -> Iterator[Event]:
        yield GenerationDropped(projection=command.projection)

    @handles(RepairProjection, refusals=[UNKNOWN, NO_PROJECTION])
    def repair(self, command: RepairProjection) -> Iterator[Event]:
        yield ProjectionRepairRequested(projection=command.projection, only=command.only)

    def evolve(self, event: Event, at: datetime) -> None:
        if isinstance(event, ProjectionPaused):
            self.paused = True
        elif isinstance(event, ProjectionResumed):
            self.paused = False


def known_subscriptions(names: frozenset[str]) -> Middleware:
    """Refuse commands for a subscription that does not exist."""
    streams = f"{ProjectionControl.category}-"

    def check(call: Call, proceed: Proceed) -> Receipt:
        if call.stream.startswith(streams):
            name = getattr(call.command, ProjectionControl.identity, None)
            if name not in names:
                raise UNKNOWN.because(
                    f"There is no subscription called {name}.", "The System page lists them."
                )
        return proceed(call)

    return check
