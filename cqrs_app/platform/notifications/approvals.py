"""Whom a request for approval concerns: whoever asked, and whoever can sign or review it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.approvals.events import (
    ApprovalExpired,
    ApprovalFailed,
    ApprovalGranted,
    ApprovalOutdated,
    ApprovalOverridden,
    ApprovalOverrideReviewed,
    ApprovalRefused,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalResubmitted,
    ApprovalReturned,
    ApprovalSigned,
    ApprovalVoided,
    ApprovalWithdrawn,
)
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.seats import asks, may_review, reviews
from cqrs_app.platform.approvals.signers import signers_in
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import RequestState
from cqrs_app.platform.notifications.notice import Cause, Notice
from cqrs_app.platform.notifications.words import NotificationKind

_MOMENT = "%-d %b %Y at %H:%M"
"""Pages show such a time in the zone of whoever reads it."""
_ENDINGS: Mapping[type[Event], str] = MappingProxyType(
    {
        ApprovalGranted: "was approved",
        ApprovalRefused: "was refused",
        ApprovalReturned: "was returned to you",
        ApprovalOutdated: "is out of date: something has changed since",
        ApprovalOverridden: "was carried out by an override",
        ApprovalFailed: "could not be carried out",
        ApprovalExpired: "has expired",
    }
)


def _decided(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    if request := _request(connection, event):
        sentence = f"Your request {_what(request, cause)} {_ENDINGS[type(event)]}."
        yield request.asker, NotificationKind.REQUEST, sentence


def _asked(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    request = ApprovalRequest(
        command=event.command, stream=event.stream, asker=event.asker, stages=event.stages
    )
    yield from _to_sign(request, cause, connection)


def _asked_again(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    if request := _request(connection, event):
        again = replace(request, stage=0, signed={}, signed_for={})
        yield from _to_sign(again, cause, connection)


def _signed(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    """The row may be older than the signature, or newer."""
    request = _request(connection, event)
    following = event.stage + 1
    if request is None or following >= len(request.stages):
        return
    signed = request.signed | {event.person: event.stage}
    here = sum(stage == event.stage for stage in signed.values())
    if here >= request.stages[event.stage].approvals:
        request = replace(request, stage=following, signed=signed)
        yield from _to_sign(request, cause, connection)


def _overridden(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    request = _request(connection, event)
    if request is None:
        return
    yield from _decided(event, cause, connection)
    sentence = f"{event.person} overrode the approval of {_what(request, cause)}. Review it."
    for signer in signers_in(connection):
        if reviews(request, signer, event.person):
            yield signer.person, NotificationKind.APPROVAL, sentence


def _reminded(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    request = _request(connection, event)
    if request is None or (request.due is None and not event.of_review):
        return
    if event.of_review:
        sentence = f"The review of {_what(request, cause)}, which was overridden, is overdue."
    else:
        until = f"{request.due:{_MOMENT}} UTC"
        sentence = f"{_what(request, cause)} awaits your approval until {until}."
    for each in signers_in(connection):
        asked = may_review(request, each) if event.of_review else asks(request, each)
        if asked:
            yield each.person, NotificationKind.APPROVAL, sentence


def _to_sign(request: ApprovalRequest, cause: Cause, connection: Connection) -> Iterator[Notice]:
    """For everybody whom the stage asks, and who signs for them."""
    sentence = f"{request.asker} requests your approval of {_what(request, cause)}."
    asked = replace(request, state=RequestState.OPEN)
    for each in signers_in(connection):
        if asks(asked, each):
            yield each.person, NotificationKind.APPROVAL, sentence


def _what(request: ApprovalRequest, cause: Cause) -> str:
    action = cause.labels.get(request.command, request.command)
    category, _, identity = request.stream.partition("-")
    return f"“{action}” for {category.replace('_', ' ')} {identity}"


def _request(connection: Connection, event: Any) -> ApprovalRequest | None:
    """The request as its row has it."""
    found = select(approval_requests.c.request)
    found = found.where(approval_requests.c.request_id == event.request_id)
    stored = connection.execute(found).scalar()
    return msgspec.json.decode(stored, type=ApprovalRequest) if stored else None


NOTICES: Mapping[type[Event], Callable[[Any, Cause, Connection], Iterator[Notice]]] = (
    MappingProxyType(
        {
            **dict.fromkeys(_ENDINGS, _decided),
            ApprovalRequested: _asked,
            ApprovalResubmitted: _asked_again,
            ApprovalSigned: _signed,
            ApprovalOverridden: _overridden,
            ApprovalReminded: _reminded,
        }
    )
)

SETTLING: Mapping[type[Event], Callable[[Any], str]] = MappingProxyType(
    {
        ApprovalSigned: lambda event: event.person,
        **dict.fromkeys(
            (
                *_ENDINGS,
                ApprovalWithdrawn,
                ApprovalVoided,
                ApprovalResubmitted,
                ApprovalOverrideReviewed,
            ),
            lambda event: "",
        ),
    }
)
"""After which events nothing is asked any more of this person, or of anybody if empty, that was
asked before."""
