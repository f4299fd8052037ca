"""Whom an event concerns, and the sentence for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, select

from cqrs_app.areas.assignments.events import AssigneeChanged, AssigneeRemoved, OrderTakenOver
from cqrs_app.areas.orders.events import OrderHeld, OrderNoteAdded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.alerts.events import AlertRaised
from cqrs_app.platform.batches.events import BatchEnded
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.notifications import approvals
from cqrs_app.platform.notifications.mentions import mentioned
from cqrs_app.platform.notifications.notice import Cause, Notice
from cqrs_app.platform.notifications.words import NotificationKind

_K = NotificationKind


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
        items = "1 item" if row.total == 1 else f"{row.total:,} items"
        yield row.created_by, _K.BATCH, f"Your batch of {items} has finished."


def _raised(event: Any, cause: Cause, connection: Connection) -> Iterator[Notice]:
    for name, team in cause.teams.items():
        if event.owner and event.owner in (name, team):
            yield name, _K.ALERT, f"Alert: {event.title}"


NOTICES: Mapping[type[Event], Callable[[Any, Cause, Connection], Iterator[Notice]]] = (
    MappingProxyType(
        {
            OrderNoteAdded: _noted,
            OrderHeld: _noted,
            AssigneeChanged: _assigned,
            AssigneeRemoved: _noted,
            OrderTakenOver: _taken_over,
            BatchEnded: _batch_ended,
            **approvals.NOTICES,
            AlertRaised: _raised,
        }
    )
)


def _row(connection: Connection, key: Column[str], value: str) -> Any:
    return connection.execute(select(key.table).where(key == value)).one_or_none()
