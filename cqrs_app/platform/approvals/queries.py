"""Queries on policies and requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.approvals.commands import VIEW
from cqrs_app.platform.approvals.events import ApprovalRequested
from cqrs_app.platform.approvals.policies import ApprovalPolicies
from cqrs_app.platform.approvals.policy import ApprovalPolicy, SeenVersion
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.signers import signers_in
from cqrs_app.platform.approvals.tables import approval_delegations, approval_requests
from cqrs_app.platform.approvals.types import ApprovalStage, RequestId, RequestState
from cqrs_app.platform.runtime.commands import SEE_COMMANDS

_ROW = approval_requests.c
_PENDING = [each for each in RequestState if each.pending]
MOST_OPEN = 1_000
"""Requests that are looked through for those that wait for somebody."""
Name = Annotated[str, Meta(title="Operator", max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """One request in a list. `due` is when the state ends by itself, `review_due` until when an
    override has to be reviewed; `given` and `needed` count approvals."""

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


@query(label="Approval policies", permission=VIEW)
class ListApprovalPolicies(Query):
    """The policies that are set, in the order in which they were set first."""

    policy: Annotated[str, Meta(max_length=40)] = ""


def list_policies(
    question: ListApprovalPolicies, policies: ApprovalPolicies, version: int
) -> tuple[ApprovalPolicy, ...]:
    found = policies.policies.values()
    return tuple(each for each in found if question.policy in ("", each.policy))


@query(label="Approval requests", permission=VIEW, store="write")
class ListApprovalRequests(Query):
    """Requests, the oldest open ones first, or else the latest first."""

    state: Annotated[RequestState | None, Meta(title="State")] = None
    show: Annotated[Literal["open", "decided", "all"], Meta(title="Show")] = "all"
    waits_for: Annotated[Name, Meta(description="Requests this operator is asked to sign.")] = ""
    asked_by: Annotated[Name, Meta(title="Requested by")] = ""
    stream: Annotated[str, Meta(title="About", max_length=200)] = ""
    unreviewed: Annotated[
        bool, Meta(title="Unreviewed", description="Overridden, and not reviewed yet.")
    ] = False
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


def list_requests(
    question: ListApprovalRequests, connection: Connection
) -> tuple[ApprovalRow, ...]:
    if question.waits_for:
        waiting = waiting_for(connection, question.waits_for)
        return tuple(waiting)[: question.limit]
    found = select(approval_requests)
    if question.state is not None:
        found = found.where(_ROW.state == question.state)
    if question.show != "all":
        pending = _ROW.state.in_(_PENDING)
        found = found.where(pending if question.show == "open" else ~pending)
    if question.asked_by:
        found = found.where(_ROW.asker == question.asked_by)
    if question.stream:
        found = found.where(_ROW.stream == question.stream)
    if question.unreviewed:
        found = found.where(_ROW.review_due.is_not(None))
    order = (
        (_ROW.asked_at, _ROW.request_id)
        if question.show == "open"
        else (_ROW.asked_at.desc(), _ROW.request_id)
    )
    return tuple(map(_row, connection.execute(found.order_by(*order).limit(question.limit))))


def waiting_for(connection: Connection, name: str) -> Iterator[ApprovalRow]:
    """The open requests that an operator is asked to sign, oldest first."""
    signer = next((each for each in signers_in(connection) if each.name == name), None)
    if signer is None:
        return
    found = (
        select(approval_requests)
        .where(_ROW.state == RequestState.OPEN, _ROW.asker != name)
        .order_by(_ROW.asked_at, _ROW.request_id)
    )
    for row in connection.execute(found.limit(MOST_OPEN)):
        if msgspec.json.decode(row.request, type=ApprovalRequest).may_sign(signer):
            yield _row(row)


def _row(row: Any) -> ApprovalRow:
    request = msgspec.json.decode(row.request, type=ApprovalRequest)
    return ApprovalRow(
        request_id=row.request_id,
        command=row.command,
        stream=row.stream,
        state=RequestState(row.state),
        summary=" ".join(request.shown.effects[:3]) if request.shown else "",
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
    )


def waiting_by_name(connection: Connection) -> dict[str, int]:
    """Operator -> how many requests wait for them."""
    found = select(_ROW.request).where(_ROW.state == RequestState.OPEN)
    stored = connection.execute(found.order_by(_ROW.asked_at).limit(MOST_OPEN)).scalars().all()
    if not stored:
        return {}
    requests = [msgspec.json.decode(each, type=ApprovalRequest) for each in stored]
    signers = signers_in(connection)
    return Counter(each.name for each in signers for one in requests if one.may_sign(each))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """One entry of a request's history."""

    type: str
    operator: str
    at: datetime
    on_behalf_of: str
    comment: str
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequestView:
    """One request. `payload` are the fields of the command, empty once personal data in it is
    erased, or if they are hidden from who asks; `digest` is what a signature names; `signed` are
    those who approved, `signed_for` whom they did it for, if not for themselves."""

    request_id: str
    state: RequestState
    command: str
    stream: str
    payload: dict[str, Any]
    fields_hidden: bool
    payload_hash: str
    digest: str
    effects: tuple[str, ...]
    versions: tuple[SeenVersion, ...]
    amount: Decimal | None
    currency: str
    policies: tuple[str, ...]
    stages: tuple[ApprovalStage, ...]
    stage: int
    round: int
    signed: tuple[str, ...]
    signed_for: dict[str, str]
    missing: int
    refusal_needs_comment: bool
    asked_by: str
    asker: str
    asked_at: datetime | None
    channel: str
    due: datetime | None
    overrider: str
    review_due: datetime | None
    version: int
    history: tuple[ApprovalStep, ...]


@query(label="Approval request", permission=VIEW, store="write")
class GetApprovalRequest(Query):
    """One request as it is now, with its history, or nothing. The fields of the action are shown
    to those who may do it themselves or may see the command log."""

    request_id: RequestId


def get_request(permissions: Mapping[str, str]) -> Answering:
    """`permissions` are those of commands, by name."""

    def answer(
        question: GetApprovalRequest, past: Past, reader: Actor
    ) -> ApprovalRequestView | None:
        return _view(question, past, permissions, reader)

    return answer


def _view(
    question: GetApprovalRequest, past: Past, permissions: Mapping[str, str], reader: Actor
) -> ApprovalRequestView | None:
    found = past.recorded(ApprovalRequest.stream_of(question.request_id))
    if not found:
        return None
    request = ApprovalRequest()
    for recorded in found:
        request.evolve(recorded.event, recorded.occurred_at)
    first: Any = found[0].event
    assert isinstance(first, ApprovalRequested) and request.shown  # noqa: S101
    hidden = not (reader.may(permissions.get(request.command, "")) or reader.may(SEE_COMMANDS))
    return ApprovalRequestView(
        request_id=question.request_id,
        state=request.state or RequestState.OPEN,
        command=request.command,
        stream=request.stream,
        payload={} if hidden else _fields(first.payload),
        fields_hidden=hidden,
        payload_hash=request.payload_hash,
        digest=request.digest,
        effects=request.shown.effects,
        versions=request.shown.versions,
        amount=request.shown.amount,
        currency=request.shown.currency,
        policies=request.policies,
        stages=request.stages,
        stage=request.stage,
        round=request.round,
        signed=tuple(request.signed),
        signed_for=request.signed_for,
        missing=request.missing,
        refusal_needs_comment=request.comment_on_refusal,
        asked_by=request.asked_by,
        asker=request.asker,
        asked_at=request.asked_at,
        channel=request.channel,
        due=request.due,
        overrider=request.overrider,
        review_due=request.review_due,
        version=len(found),
        history=tuple(
            ApprovalStep(
                type=each.stored.type,
                operator=each.stored.operator,
                at=each.occurred_at,
                on_behalf_of=getattr(each.event, "on_behalf_of", ""),
                comment=getattr(each.event, "comment", "") or getattr(each.event, "reason", ""),
                command_id=each.stored.command_id,
            )
            for each in found
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationRow:
    """Until then `delegate` signs for the operator."""

    operator: str
    delegate: str
    until: datetime


@query(label="Delegations of signatures", permission=VIEW, store="write")
class ListDelegations(Query):
    """Who signs for whom now."""


def list_delegations(
    question: ListDelegations, connection: Connection
) -> tuple[DelegationRow, ...]:
    rows = approval_delegations.c
    found = select(approval_delegations).where(rows.until > datetime.now(UTC))
    return tuple(
        DelegationRow(operator=row.operator, delegate=row.delegate, until=row.until)
        for row in connection.execute(found.order_by(rows.operator))
    )


@query(label="What may be done with a request", permission=VIEW)
class RequestActions(Query):
    """The actions on one request, each allowed or with the reason why not."""

    request_id: RequestId


def _fields(payload: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(payload)
    except msgspec.MsgspecError:
        return {}
    return found
