"""What happened to visits."""

from datetime import date

from cqrs_app.kernel import Event, event


@event()
class VisitorExpected(Event):
    visit_id: str
    visitor: str
    host: str
    day: date


@event()
class VisitorCheckedIn(Event):
    visit_id: str
    badge: int


@event()
class VisitorCheckedOut(Event):
    visit_id: str
