"""What operators do about who works on an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.assignments.types import OperatorOrNone, TeamOrNone
from cqrs_app.areas.types import OrderId, paragraph, reason
from cqrs_app.kernel import NEEDED, Command, Permission, Role, command

ASSIGN = Permission("assignments.assign", Role.OPERATOR)
WORK = Permission("queue.work", Role.OPERATOR)

HandOver = Annotated[
    str,
    paragraph(
        "Note",
        500,
        example="She ships on Friday; the customer knows.",
        description="What the next person should know. Kept in the timeline.",
    ),
]


@command(label="Assign order", permission=ASSIGN)
class AssignOrder(Command):
    """Give the order to an operator or to a team."""

    order_id: OrderId
    operator: OperatorOrNone = ""
    team: Annotated[TeamOrNone, Meta(description="Instead of an operator.")] = ""
    note: HandOver = ""

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.operator and not self.team:
            yield "operator", "Enter an operator or a team."
        if self.operator and self.team:
            yield "team", "Enter an operator or a team, not both."


@command(label="Unassign order", permission=ASSIGN)
class UnassignOrder(Command):
    """Give the order back: nobody is responsible for it then."""

    order_id: OrderId
    note: HandOver = ""


@command(label="Take over order", permission=WORK)
class TakeOverOrder(Command):
    """Claim an order that somebody else has claimed. Their page says so."""

    order_id: OrderId
    note: HandOver

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.note:
            yield "note", NEEDED


@command(label="Skip order", permission=WORK)
class SkipOrder(Command):
    """Leave the order out of your queue until tomorrow. Others still get it."""

    order_id: OrderId
    reason: Annotated[str, reason(example="Waits for a call from the customer.")]
