"""What was done about a failure."""

from __future__ import annotations

from datetime import datetime

from cqrs_app.kernel.messages.messages import Event, event


@event()
class FailureRetried(Event):
    failure_id: str
    streams: int


@event()
class FailureResolved(Event):
    failure_id: str


@event()
class FailureIgnored(Event):
    failure_id: str
    until: datetime


@event()
class FailureReopened(Event):
    failure_id: str
