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
