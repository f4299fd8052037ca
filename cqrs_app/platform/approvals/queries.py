"""Queries on policies and requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.approvals.commands import SIGN, VIEW
from cqrs_app.platform.approvals.events import ApprovalOverrideReviewed, ApprovalRequested
from cqrs_app.platform.approvals.policies import ApprovalPolicies
from cqrs_app.platform.approvals.policy import ApprovalPolicy, SeenVersion
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.tables import approval_delegations
from cqrs_app.platform.approvals.types import (
    ApprovalStage,
    OverrideVerdict,
    RequestId,
    RequestState,
)
from cqrs_app.platform.runtime.commands import SEE_COMMANDS


@query(label="Approval policies", permission=VIEW)
class ListApprovalPolicies(Query):
    """The policies that are set, in the order in which they were set first."""

    policy: Annotated[str, Meta(max_length=40)] = ""


def list_policies(
    question: ListApprovalPolicies, policies: ApprovalPolicies, version: int
) -> tuple[ApprovalPolicy, ...]:
    found = policies.policies.values()
    return tuple(each for each in found if question.policy in ("", each.policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """One entry of a request's history. `verdict` is that of the review of an override."""

    type: str
    operator: str
    at: datetime
    on_behalf_of: str
    comment: str
    command_id: str
    verdict: OverrideVerdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequestView:
    """One request. `payload` are the fields of the command, empty once personal data in it is
    erased, or if they are hidden from who asks; `digest` is what a signature names; `signed` are
    those who approved, `signed_for` whom they did it for, if not for themselves; `why` is the
    reason of whoever asked, empty for who may neither sign nor see the fields."""

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
    why: str
    bulk: bool
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
        why=first.why if reader.may(SIGN) or not hidden else "",
        bulk=request.bulk,
        channel=request.channel,
        due=request.due,
        overrider=request.overrider,
        review_due=request.review_due,
        version=len(found),
        history=tuple(map(_step, found)),
    )


def _step(each: Recorded) -> ApprovalStep:
    return ApprovalStep(
        type=each.stored.type,
        operator=each.stored.operator,
        at=each.occurred_at,
        on_behalf_of=getattr(each.event, "on_behalf_of", ""),
        comment=getattr(each.event, "comment", "") or getattr(each.event, "reason", ""),
        command_id=each.stored.command_id,
        verdict=_verdict(each.event),
    )


def _verdict(event: Any) -> OverrideVerdict | None:
    if not isinstance(event, ApprovalOverrideReviewed):
        return None
    return OverrideVerdict.JUSTIFIED if event.justified else OverrideVerdict.NOT_JUSTIFIED


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
