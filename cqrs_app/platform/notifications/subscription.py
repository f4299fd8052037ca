"""Follows the log and writes a notification for each operator whom an event concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, select

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.notifications.approvals import Notice
from cqrs_app.platform.notifications.notices import NOTICES
from cqrs_app.platform.notifications.tables import notifications
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.preferences import preferences_from
from cqrs_app.platform.operators.tables import operators

NEWS = timedelta(days=1)
"""What was recorded longer ago is no news, such as the whole log at an upgrade."""


class NotifyOperators(Subscription):
    """Nobody is notified of what they did themselves, or of a kind that they do not want."""

    name: ClassVar[str] = "notifications"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = tuple(NOTICES)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        since = datetime.now(UTC) - NEWS
        news = [each for each in batch if each.recorded_at >= since and not each.is_history]
        if not news:
            return
        found = select(operators.c.name, operators.c.team, operators.c.preferences)
        active = connection.execute(found.where(operators.c.disabled_at.is_(None))).all()
        teams = {row.name: row.team for row in active}
        unwanted = {row.name: preferences_from(row.preferences).unwanted for row in active}
        for recorded in news:
            event, actor = recorded.event, recorded.stored.operator
            notices = NOTICES[type(event)](event, actor, teams, connection)
            for operator, kind, sentence in _first_each(notices):
                if operator in teams and operator != actor and kind not in unwanted[operator]:
                    _write(connection, recorded, operator, kind, sentence)


def _first_each(notices: Iterable[Notice]) -> Iterator[Notice]:
    """One notice for each operator: the first."""
    seen: set[str] = set()
    for notice in notices:
        if notice[0] not in seen:
            seen.add(notice[0])
            yield notice


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
