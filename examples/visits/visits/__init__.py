"""Visits: who is expected, who is in the building, who has left."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from cqrs_app.kernel import (
    Area,
    ListQuery,
    Permission,
    Role,
    Sort,
    StateProjection,
    listed,
    query,
    table_of,
)
from cqrs_app.plugins import Pages, Plugin
from visits.visit import STATES, Badge, CheckOut, ExpectVisitor, Name, Visit, VisitId, VisitState


@dataclass(frozen=True, slots=True)
class VisitRow:
    visit_id: VisitId
    visitor: Name
    host: Name
    day: date
    state: VisitState
    badge: Badge | None
    applied_version: int


visits = table_of("visits_visits", VisitRow, key="visit_id", indexed=["day"])


class VisitsProjection(StateProjection):
    name = "visits"
    aggregate = Visit
    tables = (visits,)
    follows = (*STATES,)


@query(
    label="Visits",
    permission=Permission("visits.view", Role.VIEWER),
    reads=("visits",),
    cached=True,
)
class ListVisits(ListQuery):
    """One page of the visits, the latest day first."""

    sorts: ClassVar = {"day": Sort((visits.c.day, visits.c.visit_id), date)}
    q: Annotated[str, Meta(title="Search", max_length=80)] = ""
    state: VisitState | None = None
    sort: Literal["day"] = "day"
    descending: bool = True


VISITS = Area(
    name="visits",
    aggregates=[Visit],
    events=[*STATES],
    projections=[VisitsProjection()],
    answers={ListVisits: listed(visits, VisitRow, search=["visitor"])},
)
PAGES = Pages(
    aggregate=Visit,
    path="visits",
    list=ListVisits,
    starts=[ExpectVisitor],
    batched=[CheckOut],
    icon="users",
)
PLUGIN = Plugin(api=1, package="visits", area=VISITS, pages=[PAGES])
