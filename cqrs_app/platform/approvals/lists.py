"""Lists of requests: what waits for whom, what became of it, and what is chosen for a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, false, func, or_, select

from cqrs_app.kernel.messages.messages import query
from cqrs_app.kernel.queries.paging import Count, Limit, ListQuery, Mark, Page, Sort
from cqrs_app.platform.approvals.commands import VIEW
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.request_fields import RequestFields
from cqrs_app.platform.approvals.seats import asks
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.signers import signers_in
from cqrs_app.platform.approvals.subscription import between_lines
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import ApprovalStage, RequestState

_ROW = approval_requests.c
_PENDING = [each for each in RequestState if each.pending]
MOST_OPEN = 10_000
"""Requests that are counted, those that wait for the same people as one."""
MOST_CHOSEN = 10_000
"""Requests of one page that are chosen for a batch."""
Name = Annotated[str, Meta(title="Operator", max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """One request in a list. `due` is when the state ends by itself, `review_due` until when an
    override has to be reviewed; `given` and `needed` count approvals. `bulk`: it may be signed in a
    batch; `version` is the one that `digest` is of."""

    request_id: str
    command: str
    stream: str
    state: RequestState
    summary: str
    amount: Decimal | None
    currency: str
    asked_by: str
    asked_at: datetime
    changed_at: datetime
    due: datetime | None
    review_due: datetime | None
    given: int
    needed: int
    digest: str
    bulk: bool
    version: int


@query(label="Approval requests", permission=VIEW, store="write")
class ListApprovalRequests(ListQuery):
    """One page of requests: open ones the oldest first, others the latest first."""

    sorts = MappingProxyType({"asked_at": Sort((_ROW.asked_at, _ROW.request_id), datetime)})
    sort: ClassVar[str] = "asked_at"

    state: Annotated[RequestState | None, Meta(title="State")] = None
    show: Annotated[Literal["open", "decided", "all"], Meta(title="Show")] = "all"
    command: Annotated[str, Meta(title="Action", max_length=100)] = ""
    waits_for: Annotated[Name, Meta(description="Requests this operator is asked to sign.")] = ""
    asked_by: Annotated[Name, Meta(title="Requested by")] = ""
    stream: Annotated[str, Meta(title="About", max_length=200)] = ""
    unreviewed: Annotated[
        bool, Meta(title="Unreviewed", description="Overridden, and not reviewed yet.")
    ] = False
    after: Mark = ""
    before: Mark = ""
    limit: Limit = 50
    count: Count = False

    @property
    def descending(self) -> bool:
        return self.show != "open" and not self.waits_for


def list_requests(question: ListApprovalRequests, connection: Connection) -> Page[ApprovalRow]:
    found = select(approval_requests).where(*_conditions(question, connection))
    return question.page(found, connection, _row)


@dataclass(frozen=True, slots=True)
class ChosenRequest:
    """A request with the version that its row includes, and what it would do."""

    subject: str
    version: int
    amount: Decimal | None
    currency: str
    summary: str


@query(label="Approval requests for a batch", permission=VIEW, store="write", listed=False)
class ChooseApprovalRequests(ListApprovalRequests):
    """One page of the requests that match. `ids` names them instead."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_CHOSEN)] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST_CHOSEN)] = MOST_CHOSEN


def choose_requests(
    question: ChooseApprovalRequests, connection: Connection
) -> Page[ChosenRequest]:
    found = select(approval_requests).where(*_conditions(question, connection))
    if question.ids:
        found = found.where(_ROW.request_id.in_(question.ids))
    return question.page(found, connection, _chosen)


def _summary(request: ApprovalRequest) -> str:
    return " ".join(request.shown.effects[:3]) if request.shown else ""


def _chosen(row: Any) -> ChosenRequest:
    request = msgspec.json.decode(row.request, type=ApprovalRequest)
    return ChosenRequest(
        row.request_id, request.changes, row.amount, row.currency, _summary(request)
    )


def _conditions(
    question: ListApprovalRequests, connection: Connection
) -> Iterator[ColumnElement[bool]]:
    if question.state is not None:
        yield _ROW.state == question.state
    if question.show != "all":
        pending = _ROW.state.in_(_PENDING)
        yield pending if question.show == "open" else ~pending
    if question.unreviewed:
        yield _ROW.review_due.is_not(None)
    for column, value in (
        (_ROW.command, question.command),
        (_ROW.asker, question.asked_by),
        (_ROW.stream, question.stream),
    ):
        if value:
            yield column == value
    if question.waits_for:
        yield from _waits_for(connection, question.waits_for)


def _waits_for(connection: Connection, name: str) -> Iterator[ColumnElement[bool]]:
    """What `asks` says, as conditions on rows."""
    yield _ROW.state == RequestState.OPEN
    signer = next((each for each in signers_in(connection) if each.name == name), None)
    if signer is None:
        yield false()
        return
    yield _free(signer)
    distinct = select(_ROW.waiting).where(_ROW.state == RequestState.OPEN).distinct()
    texts = [each for each in connection.execute(distinct).scalars() if each]
    stages = {text: msgspec.json.decode(text, type=ApprovalStage) for text in texts}
    yield or_(
        false(),
        *(
            _ROW.waiting.in_([text for text, stage in stages.items() if each.fits(stage)])
            & _free(each)
            for each in (signer, *signer.represents)
        ),
    )


def _free(signer: Signer) -> ColumnElement[bool]:
    """Neither did this person ask for it, nor has their signature been given."""
    given = _ROW.given.contains(between_lines(signer.person), autoescape=True)
    return (_ROW.asker != signer.person) & ~given


def _row(row: Any) -> ApprovalRow:
    request = msgspec.json.decode(row.request, type=ApprovalRequest)
    return ApprovalRow(
        request_id=row.request_id,
        command=row.command,
        stream=row.stream,
        state=RequestState(row.state),
        summary=_summary(request),
        amount=row.amount,
        currency=row.currency,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        due=row.due,
        review_due=row.review_due,
        given=len(request.signed),
        needed=sum(each.approvals for each in request.stages),
        digest=request.digest,
        bulk=request.bulk,
        version=request.changes,
    )


def waiting_by_name(connection: Connection) -> dict[str, int]:
    """Operator -> how many requests wait for them."""
    alike = (_ROW.waiting, _ROW.asker, _ROW.given)
    found = select(*alike, func.count().label("requests")).where(_ROW.state == RequestState.OPEN)
    rows = connection.execute(found.group_by(*alike).limit(MOST_OPEN)).all()
    waiting = [(_as_open(row), row.requests) for row in rows if row.waiting]
    signers = signers_in(connection) if waiting else []
    return {
        each.name: sum(count for request, count in waiting if asks(request, each))
        for each in signers
    }


def _as_open(row: Any) -> RequestFields:
    """What decides whom a request waits for."""
    return RequestFields(
        state=RequestState.OPEN,
        asker=row.asker,
        stages=(msgspec.json.decode(row.waiting, type=ApprovalStage),),
        signed=dict.fromkeys(row.given.split(), 0),
    )
