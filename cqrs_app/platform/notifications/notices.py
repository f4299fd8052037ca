"""Whom an event concerns, and the sentence for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, select

from cqrs_app.areas.assignments.events import AssigneeChanged, AssigneeRemoved, OrderTakenOver
from cqrs_app.areas.orders.events import OrderHeld, OrderNoteAdded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.projections.projection import snake
from cqrs_app.platform.alerts.events import AlertRaised
from cqrs_app.platform.approvals.events import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalReturned,
)
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.batches.events import BatchEnded
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.notifications.mentions import mentioned
from cqrs_app.platform.notifications.words import NotificationKind

Notice = tuple[str, NotificationKind, str]
"""Whom it is for, its kind and its sentence."""
Teams = Mapping[str, str]
"""The team of each active operator; empty for none."""
_K = NotificationKind


@dataclass(frozen=True, slots=True)
class Cause:
    """Who did it, to what ("order 10042", or "a batch of 40 orders"), and who is in which team."""

    actor: str
    what: str
    teams: Teams


def _assigned(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    if event.operator:
        yield event.operator, _K.ASSIGNED, f"{cause.actor} assigned {cause.what} to you."
    for name, team in cause.teams.items():
        if team and team == event.team:
            sentence = f"{cause.actor} assigned {cause.what} to team {team}."
            yield name, _K.ASSIGNED, sentence
    yield from _noted(event, cause, connection)


def _taken_over(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    yield event.holder, _K.TAKEN_OVER, f"{cause.actor} took over {cause.what}."
    yield from _noted(event, cause, connection)


def _noted(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    for name in mentioned(event.note):
        yield name, _K.MENTION, f"{cause.actor} mentioned you in a note on {cause.what}."


def _batch_ended(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    if row := _row(connection, batches.c.batch_id, event.batch_id):
        yield row.created_by, _K.BATCH, f"Your batch of {row.total:,} items has finished."


def _decided(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    if row := _row(connection, approval_requests.c.request_id, event.request_id):
        action = snake(row.command).replace("_", " ").capitalize()
        category, _, identity = row.stream.partition("-")
        what = f"“{action}” for {category.replace('_', ' ')} {identity}"
        yield row.asker, _K.REQUEST, f"Your request {what} was {_DECIDED[type(event)]}."


def _raised(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    for name, team in cause.teams.items():
        if event.owner and event.owner in (name, team):
            yield name, _K.ALERT, f"Alert: {event.title}"


_DECIDED: Mapping[type[Event], str] = MappingProxyType(
    {ApprovalGranted: "approved", ApprovalRefused: "refused", ApprovalReturned: "returned to you"}
)

NOTICES: Mapping[type[Event], Callable[[Any, Cause, Connection], Iterator[Notice]]] = (
    MappingProxyType(
        {
            OrderNoteAdded: _noted,
            OrderHeld: _noted,
            AssigneeChanged: _assigned,
            AssigneeRemoved: _noted,
            OrderTakenOver: _taken_over,
            BatchEnded: _batch_ended,
            **dict.fromkeys(_DECIDED, _decided),
            AlertRaised: _raised,
        }
    )
)


def _row(connection: Connection, key: Column[str], value: str) -> Any:
    return connection.execute(select(key.table).where(key == value)).one_or_none()
