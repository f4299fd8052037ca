"""Who is responsible for an order. Pure; claims are leases elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.areas.assignments.commands import (
    AssignOrder,
    SkipOrder,
    TakeOverOrder,
    UnassignOrder,
)
from cqrs_app.areas.assignments.events import (
    AssigneeChanged,
    AssigneeRemoved,
    OrderSkipped,
    OrderTakenOver,
)
from cqrs_app.areas.assignments.rules import (
    ALREADY_ASSIGNED,
    NO_SUCH_ORDER,
    NOT_ASSIGNED,
    NOT_CLAIMED,
    UNKNOWN_ASSIGNEE,
    YOURS_ALREADY,
)
from cqrs_app.kernel import Aggregate, Decision, Event, handles, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToTakeOver(TakeOverOrder):
    """The command with the operator who has claimed the order."""

    holder: str = ""


@rule(NOT_ASSIGNED)
def assigned(assignment: Assignment, order_id: str) -> None:
    if not assignment.operator and not assignment.team:
        raise NOT_ASSIGNED.because(f"Order {order_id} is assigned to nobody.")


@dataclass
class Assignment(Aggregate):
    category: ClassVar[str] = "assignment"
    identity: ClassVar[str] = "order_id"

    operator: str = ""
    team: str = ""

    @handles(AssignOrder, refusals=[NO_SUCH_ORDER, UNKNOWN_ASSIGNEE, ALREADY_ASSIGNED])
    def assign(self, command: AssignOrder) -> Decision:
        if (command.operator, command.team) == (self.operator, self.team):
            raise ALREADY_ASSIGNED.because(
                f"Order {command.order_id} is assigned to {self.operator or self.team} already."
            )
        yield AssigneeChanged(
            order_id=command.order_id,
            operator=command.operator,
            team=command.team,
            note=command.note,
        )

    @handles(UnassignOrder, when=assigned, refusals=[NO_SUCH_ORDER])
    def unassign(self, command: UnassignOrder) -> Decision:
        yield AssigneeRemoved(order_id=command.order_id, note=command.note)

    @handles(TakeOverOrder, refusals=[NO_SUCH_ORDER, NOT_CLAIMED, YOURS_ALREADY])
    def take_over(self, command: TakeOverOrder) -> Decision:
        if not isinstance(command, OrderToTakeOver):
            raise NOT_CLAIMED(f"Nobody has claimed order {command.order_id}: claim it instead.")
        yield OrderTakenOver(order_id=command.order_id, holder=command.holder, note=command.note)

    @handles(SkipOrder, refusals=[NO_SUCH_ORDER])
    def skip(self, command: SkipOrder) -> Decision:
        yield OrderSkipped(order_id=command.order_id, reason=command.reason)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case AssigneeChanged():
                self.operator, self.team = event.operator, event.team
            case AssigneeRemoved():
                self.operator = self.team = ""
