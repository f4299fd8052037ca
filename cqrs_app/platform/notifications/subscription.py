"""Follows the log and writes a notification for each operator whom an event concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, select

from cqrs_app.areas.assignments.events import AssigneeChanged, AssigneeRemoved, OrderTakenOver
from cqrs_app.areas.orders.events import OrderHeld, OrderNoteAdded
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.batches.events import BatchEnded
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.notifications.mentions import mentioned
from cqrs_app.platform.notifications.tables import notifications
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.preferences import Preferences, preferences_from
from cqrs_app.platform.operators.tables import operators

NEWS = timedelta(days=1)
"""What was recorded longer ago is no news, such as the whole log at an upgrade."""

Notice = tuple[str, NotificationKind, str]
"""Whom it is for, its kind and its sentence."""
_K = NotificationKind


class NotifyOperators(Subscription):
    """Nobody is notified of what they did themselves, or of a kind that they do not want."""

    name: ClassVar[str] = "notifications"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (
        OrderNoteAdded,
        OrderHeld,
        AssigneeChanged,
        AssigneeRemoved,
        OrderTakenOver,
        BatchEnded,
    )

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        since = datetime.now(UTC) - NEWS
        news = [each for each in batch if each.recorded_at >= since and not each.is_history]
        if not news:
            return
        found = select(operators.c.name, operators.c.team, operators.c.preferences)
        active = connection.execute(found.where(operators.c.disabled_at.is_(None))).all()
        teams = {row.name: row.team for row in active}
        wishes = {row.name: preferences_from(row.preferences) for row in active}
        for recorded in news:
            for operator, kind, sentence in _first_each(_notices(recorded, teams, connection)):
                own = operator == recorded.stored.operator
                if not own and _wants(wishes.get(operator), kind):
                    _write(connection, recorded, operator, kind, sentence)


def _wants(preferences: Preferences | None, kind: NotificationKind) -> bool:
    return preferences is not None and kind not in preferences.unwanted


def _first_each(notices: Iterable[Notice]) -> Iterator[Notice]:
    """One notice for each operator: the first."""
    seen: set[str] = set()
    for notice in notices:
        if notice[0] not in seen:
            seen.add(notice[0])
            yield notice


def _notices(recorded: Recorded, teams: dict[str, str], connection: Connection) -> Iterator[Notice]:
    event: Any = recorded.event
    actor = recorded.stored.operator
    match event:
        case AssigneeChanged(operator=operator) if operator:
            yield operator, _K.ASSIGNED, f"{actor} assigned order {event.order_id} to you."
        case AssigneeChanged(team=team):
            for name in (name for name, own in teams.items() if own == team):
                sentence = f"{actor} assigned order {event.order_id} to team {team}."
                yield name, _K.ASSIGNED, sentence
        case OrderTakenOver():
            yield event.holder, _K.TAKEN_OVER, f"{actor} took over order {event.order_id}."
        case BatchEnded():
            found = select(batches).where(batches.c.batch_id == event.batch_id)
            row = connection.execute(found).one_or_none()
            if row:
                yield row.created_by, _K.BATCH, f"Your batch of {row.total:,} items has finished."
    for name in mentioned(getattr(event, "note", "")):
        yield name, _K.MENTION, f"{actor} mentioned you in a note on order {event.order_id}."


def _write(
    connection: Connection,
    recorded: Recorded,
    operator: str,
    kind: NotificationKind,
    sentence: str,
) -> None:
    category, _, identity = recorded.stream.partition("-")
    connection.execute(
        insert_into(connection, notifications)
        .values(
            operator=operator,
            position=recorded.stored.position,
            kind=kind,
            sentence=sentence,
            stream=f"order-{identity}" if category == "assignment" else recorded.stream,
            at=recorded.recorded_at,
        )
        .on_conflict_do_nothing()
    )
