"""Follows requests, in the rows that lists show and the executor works on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.registry import events_in
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.approvals import events
from cqrs_app.platform.approvals.events import (
    ApprovalPolicyRemoved,
    ApprovalPolicySet,
    DelegationEnded,
    SignaturesDelegated,
)
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.tables import approval_delegations, approval_requests

_ROW = approval_requests.c
_SAME = (
    "command",
    "stream",
    "person",
    "state",
    "asked_by",
    "asker",
    "asked_at",
    "due",
    "review_due",
    "remind_at",
)


class FollowRequests(Subscription):
    """A row per request, with the request as its events leave it."""

    name: ClassVar[str] = "approvals"
    events: ClassVar[tuple[type[Event], ...] | None] = (
        *(
            each
            for each in events_in(events)
            if each not in (ApprovalPolicySet, ApprovalPolicyRemoved)
        ),
        SubjectErased,
    )

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            event: Any = recorded.event
            if isinstance(event, SubjectErased):
                _erased(connection, event.subject)
            elif isinstance(event, SignaturesDelegated | DelegationEnded):
                _delegated(connection, event)
            else:
                _moved(connection, event, recorded.occurred_at)


def _erased(connection: Connection, subject: str) -> None:
    connection.execute(update(approval_requests).where(_ROW.person == subject).values(erased=True))


def _delegated(connection: Connection, event: SignaturesDelegated | DelegationEnded) -> None:
    mine = approval_delegations.c.operator == event.operator
    connection.execute(delete(approval_delegations).where(mine))
    if isinstance(event, SignaturesDelegated):
        values = {"operator": event.operator, "delegate": event.delegate, "until": event.until}
        connection.execute(insert(approval_delegations).values(values))


def _moved(connection: Connection, event: Any, at: datetime) -> None:
    mine = _ROW.request_id == event.request_id
    stored = connection.execute(select(_ROW.request).where(mine)).scalar()
    request = msgspec.json.decode(stored, type=ApprovalRequest) if stored else ApprovalRequest()
    request.evolve(event, at)
    values = _columns(request) | {
        "changed_at": at,
        "request": msgspec.json.encode(request).decode(),
    }
    if stored:
        connection.execute(update(approval_requests).where(mine).values(values))
    else:
        new = {"request_id": event.request_id, "erased": False}
        connection.execute(insert(approval_requests).values(values | new))


def _columns(request: ApprovalRequest) -> dict[str, Any]:
    shown = request.shown
    return {name: getattr(request, name) for name in _SAME} | {
        "amount": shown.amount if shown else None,
        "currency": shown.currency if shown else "",
    }
