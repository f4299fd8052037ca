"""Follows requests, in the rows that lists show and the executor works on."""

from __future__ import annotations

from collections.abc import Sequence
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
from cqrs_app.platform.approvals.policy import canonical
from cqrs_app.platform.approvals.reminders import remind_at
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.tables import approval_delegations, approval_requests
from cqrs_app.platform.approvals.types import RequestState

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
                _moved(connection, recorded)


def between_lines(text: str) -> str:
    """As `approval_requests.given` has names."""
    return f"\n{text}\n"


def _erased(connection: Connection, subject: str) -> None:
    connection.execute(update(approval_requests).where(_ROW.person == subject).values(erased=True))


def _delegated(connection: Connection, event: SignaturesDelegated | DelegationEnded) -> None:
    mine = approval_delegations.c.operator == event.operator
    connection.execute(delete(approval_delegations).where(mine))
    if isinstance(event, SignaturesDelegated):
        values = {"operator": event.operator, "delegate": event.delegate, "until": event.until}
        connection.execute(insert(approval_delegations).values(values))


def _moved(connection: Connection, recorded: Recorded) -> None:
    event: Any = recorded.event
    mine = _ROW.request_id == event.request_id
    stored = connection.execute(select(_ROW.request).where(mine)).scalar()
    request = msgspec.json.decode(stored, type=ApprovalRequest) if stored else ApprovalRequest()
    if recorded.stored.version <= request.changes:
        return  # the row was made anew since, with this event
    request.evolve(event, recorded.occurred_at)
    values = columns_of(request) | {"changed_at": recorded.occurred_at}
    if stored:
        connection.execute(update(approval_requests).where(mine).values(values))
    else:
        new = {"request_id": event.request_id, "erased": False}
        connection.execute(insert(approval_requests).values(values | new))


def columns_of(request: ApprovalRequest) -> dict[str, Any]:
    """The row of a request, as far as it follows from the request itself."""
    shown, given = request.shown, sorted(request.given)
    waits = request.state is RequestState.OPEN and request.stage < len(request.stages)
    return {name: getattr(request, name) for name in _SAME} | {
        "request": msgspec.json.encode(request).decode(),
        "shape": ApprovalRequest.shape,
        "waiting": canonical(request.stages[request.stage]) if waits else "",
        "given": between_lines("\n".join(given)) if given else "",
        "remind_at": remind_at(request),
        "amount": shown.amount if shown else None,
        "currency": shown.currency if shown else "",
    }
