"""A visit: expected, in the building, over. What people do with it, what happened, the rules."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from cqrs_app.kernel import (
    Aggregate,
    Command,
    Decision,
    Event,
    Permission,
    Refusal,
    Role,
    command,
    event,
    handles,
    refuse_unless,
)

RECEIVE = Permission("visits.receive", Role.OPERATOR)

VisitId = Annotated[str, Meta(title="Visit", examples=["V1"], pattern="^[A-Z0-9]+$", max_length=20)]
Name = Annotated[str, Meta(examples=["Ana Ruiz"], min_length=1, max_length=80)]
Badge = Annotated[int, Meta(title="Badge", examples=[7], ge=1, le=999)]

EXISTS = Refusal("visit_exists", "A visit has this name already.")
NOT_EXPECTED = Refusal("not_expected", "Nobody is expected, or they came already.")
NOT_INSIDE = Refusal("not_in_the_building", "The visitor is not in the building.")


class VisitState(StrEnum):
    EXPECTED = "expected"
    INSIDE = "inside"
    OVER = "over"


@command(label="Expect visitor", permission=RECEIVE)
class ExpectVisitor(Command):
    """Announce a visitor to the reception."""

    visit_id: VisitId
    visitor: Name
    host: Name
    day: date


@command(label="Check in", permission=RECEIVE)
class CheckIn(Command):
    """The visitor is in the building, with a badge."""

    visit_id: VisitId
    badge: Badge


@command(label="Check out", permission=RECEIVE)
class CheckOut(Command):
    """The visitor has left and returned the badge."""

    visit_id: VisitId


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


STATES = {
    VisitorExpected: VisitState.EXPECTED,
    VisitorCheckedIn: VisitState.INSIDE,
    VisitorCheckedOut: VisitState.OVER,
}


@dataclass
class Visit(Aggregate):
    category: ClassVar[str] = "visit"
    identity: ClassVar[str] = "visit_id"

    visitor: str = ""
    host: str = ""
    day: date = date.min
    badge: int | None = None
    state: VisitState | None = None

    @handles(ExpectVisitor, when=refuse_unless(lambda visit: not visit.state, EXISTS))
    def expect(self, command: ExpectVisitor) -> Decision:
        yield VisitorExpected.of(command)

    @handles(CheckIn, when=refuse_unless(lambda visit: visit.state == "expected", NOT_EXPECTED))
    def check_in(self, command: CheckIn) -> Decision:
        yield VisitorCheckedIn.of(command)

    @handles(CheckOut, when=refuse_unless(lambda visit: visit.state == "inside", NOT_INSIDE))
    def check_out(self, command: CheckOut) -> Decision:
        yield VisitorCheckedOut.of(command)

    def evolve(self, event: Event, at: datetime) -> None:
        self.take(event)
        self.state = STATES[type(event)]
