"""A visit: expected, in the building, over."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel import Aggregate, Decision, Event, Refusal, handles, rule
from visits.events import VisitorCheckedIn, VisitorCheckedOut, VisitorExpected
from visits.messages import CheckIn, CheckOut, ExpectVisitor, GetVisit, VisitState

EXISTS = Refusal("visit_exists", "A visit has this name already.")
NOT_EXPECTED = Refusal("not_expected", "Nobody is expected, or they came already.")
NOT_IN = Refusal("not_in_the_building", "The visitor is not in the building.")


@rule(NOT_EXPECTED)
def expected(visit: "Visit", visit_id: str) -> None:
    if visit.state is not VisitState.EXPECTED:
        raise NOT_EXPECTED(f"Visit {visit_id} has begun already.")


@rule(NOT_IN)
def inside(visit: "Visit", visit_id: str) -> None:
    if visit.state is not VisitState.INSIDE:
        raise NOT_IN(f"The visitor of {visit_id} is not in the building.")


@dataclass
class Visit(Aggregate):
    category: ClassVar[str] = "visit"
    identity: ClassVar[str] = "visit_id"

    visitor: str = ""
    host: str = ""
    badge: int = 0
    state: VisitState | None = None

    @handles(ExpectVisitor, refusals=[EXISTS])
    def expect(self, command: ExpectVisitor) -> Decision:
        if self.state:
            raise EXISTS(f"There is a visit {command.visit_id} already.")
        yield VisitorExpected(
            visit_id=command.visit_id,
            visitor=command.visitor,
            host=command.host,
            day=command.day,
        )

    @handles(CheckIn, when=expected)
    def check_in(self, command: CheckIn) -> Decision:
        yield VisitorCheckedIn(visit_id=command.visit_id, badge=command.badge)

    @handles(CheckOut, when=inside)
    def check_out(self, command: CheckOut) -> Decision:
        yield VisitorCheckedOut(visit_id=command.visit_id)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case VisitorExpected():
                self.visitor, self.host, self.state = event.visitor, event.host, VisitState.EXPECTED
            case VisitorCheckedIn():
                self.badge, self.state = event.badge, VisitState.INSIDE
            case VisitorCheckedOut():
                self.badge, self.state = 0, VisitState.OVER


@dataclass(frozen=True, slots=True)
class VisitView:
    visitor: str
    host: str
    state: VisitState
    badge: int
    applied_version: int


def shown(question: GetVisit, visit: Visit, version: int) -> VisitView | None:
    return (
        VisitView(visit.visitor, visit.host, visit.state, visit.badge, version) if version else None
    )
