"""The list of visits."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from sqlalchemy import Column, Connection, Date, Integer, Row, Select, String, Table, select

from cqrs_app.kernel import (
    Count,
    Limit,
    ListQuery,
    Mark,
    Page,
    Projection,
    Recorded,
    Rows,
    Sort,
    query,
    read_tables,
)
from visits.events import VisitorCheckedIn, VisitorCheckedOut, VisitorExpected
from visits.messages import VIEW, VisitState

visits = Table(
    "visits_visits",
    read_tables,
    Column("visit_id", String(20), primary_key=True),
    Column("visitor", String(80), nullable=False),
    Column("host", String(80), nullable=False),
    Column("day", Date, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("applied_version", Integer, nullable=False),
)


class VisitsProjection(Projection):
    name: ClassVar[str] = "visits"
    tables: ClassVar[tuple[Table, ...]] = (visits,)

    def visitor_expected(self, event: VisitorExpected, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            visits,
            visit_id=event.visit_id,
            visitor=event.visitor,
            host=event.host,
            day=event.day,
            state=VisitState.EXPECTED,
            applied_version=recorded.version,
        )

    def visitor_checked_in(self, event: VisitorCheckedIn, recorded: Recorded, rows: Rows) -> None:
        self._now(event.visit_id, VisitState.INSIDE, recorded, rows)

    def visitor_checked_out(self, event: VisitorCheckedOut, recorded: Recorded, rows: Rows) -> None:
        self._now(event.visit_id, VisitState.OVER, recorded, rows)

    def _now(self, visit_id: str, state: VisitState, recorded: Recorded, rows: Rows) -> None:
        row = rows.change(visits, visit_id)
        row["state"], row["applied_version"] = state, recorded.version


@dataclass(frozen=True, slots=True)
class VisitRow:
    visit_id: str
    visitor: str
    host: str
    day: date
    state: VisitState
    applied_version: int


@query(label="Visits", permission=VIEW, reads=("visits",), cached=True)
class ListVisits(ListQuery):
    """One page of the visits, the latest day first."""

    sorts: ClassVar = {"day": Sort((visits.c.day, visits.c.visit_id), date)}
    q: Annotated[str, Meta(title="Search", max_length=80)] = ""
    state: Annotated[VisitState | None, Meta(title="State")] = None
    sort: Literal["day"] = "day"
    descending: bool = True
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25
    count: Count = False


@query(label="Visits for a batch", permission=VIEW, reads=("visits",), listed=False)
class ChooseVisits(ListVisits):
    """One page of the visits that match, or those that `ids` names."""

    ids: Annotated[tuple[str, ...], Meta(max_length=10_000)] = ()
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000


@dataclass(frozen=True, slots=True)
class ChosenVisit:
    subject: str
    version: int


def choose_visits(question: ChooseVisits, connection: Connection) -> Page[ChosenVisit]:
    found = matching(question)
    if question.ids:
        found = select(visits).where(visits.c.visit_id.in_(question.ids))
    return question.page(found, connection, lambda row: ChosenVisit(row[0], row.applied_version))


def list_visits(question: ListVisits, connection: Connection) -> Page[VisitRow]:
    return question.page(matching(question), connection, visit_row)


def matching(question: ListVisits) -> Select[Any]:
    found = select(visits)
    if question.state:
        found = found.where(visits.c.state == question.state)
    if question.q:
        found = found.where(visits.c.visitor.icontains(question.q, autoescape=True))
    return found


def visit_row(row: Row[Any]) -> VisitRow:
    return VisitRow(**dict(row._mapping) | {"state": VisitState(row.state)})
