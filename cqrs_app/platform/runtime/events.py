"""What was done to a projection or another subscription."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class ProjectionPaused(Event):
    projection: str


@event()
class ProjectionResumed(Event):
    projection: str


@event()
class ParkedEventsRetried(Event):
    projection: str
    stream: str


@event()
class ParkedEventSkipped(Event):
    projection: str
    stream: str
    reason: str


@event()
class RebuildBesideStarted(Event):
    projection: str


@event()
class ComparisonRequested(Event):
    projection: str


@event()
class ProjectionSwapped(Event):
    projection: str
    accepted_differences: int


@event()
class ProjectionSwitchedBack(Event):
    projection: str


@event()
class GenerationDropped(Event):
    projection: str


@event()
class ProjectionRepairRequested(Event):
    projection: str
    only: str
