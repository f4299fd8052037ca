"""What people do with visits, and ask about one."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel import Command, Permission, Query, Role, command, query

VIEW = Permission("visits.view", Role.VIEWER)
RECEIVE = Permission("visits.receive", Role.OPERATOR)

VisitId = Annotated[str, Meta(title="Visit", examples=["V1"], pattern="^[A-Z0-9]{1,20}$")]
Name = Annotated[str, Meta(examples=["Ana Ruiz"], min_length=1, max_length=80)]


class VisitState(StrEnum):
    EXPECTED = "expected"
    INSIDE = "inside"
    OVER = "over"


@command(label="Expect visitor", permission=RECEIVE)
class ExpectVisitor(Command):
    """Announce a visitor to the reception."""

    visit_id: VisitId
    visitor: Annotated[Name, Meta(title="Visitor")]
    host: Annotated[Name, Meta(title="Host")]
    day: Annotated[date, Meta(title="Day")]


@command(label="Check in", permission=RECEIVE)
class CheckIn(Command):
    """The visitor is in the building, with a badge."""

    visit_id: VisitId
    badge: Annotated[int, Meta(title="Badge", examples=[7], ge=1, le=999)]


@command(label="Check out", permission=RECEIVE)
class CheckOut(Command):
    """The visitor has left and returned the badge."""

    visit_id: VisitId


@query(label="Visit", permission=VIEW)
class GetVisit(Query):
    visit_id: VisitId


@query(label="Actions on a visit", permission=VIEW)
class VisitActions(Query):
    visit_id: VisitId
