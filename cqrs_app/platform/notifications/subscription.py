"""Follows the log and writes a notification for each operator whom an event concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import events
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.approvals.events import ApprovalOverridden, ApprovalOverrideReviewed
from cqrs_app.platform.batches.batch import CommandBatch
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.notifications.approvals import SETTLING
from cqrs_app.platform.notifications.notice import Cause, Notice
from cqrs_app.platform.notifications.notices import NOTICES
from cqrs_app.platform.notifications.tables import notifications
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.preferences import preferences_from
from cqrs_app.platform.operators.tables import operators

NEWS = timedelta(days=1)
"""What was recorded longer ago is no news, such as the whole log at an upgrade."""
MORNING = time(8)
"""When daily mails are sent, by the operator's clock."""


class NotifyOperators(Subscription):
    """Nobody is notified of what they did themselves, or of a kind that they do not want. What a
    batch did to many is one notification of each kind. That something awaits a signature counts as
    read once the signature was given, or is not asked for any more."""

    name: ClassVar[str] = "notifications"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = tuple({**NOTICES, **SETTLING})

    def __init__(self, zone: ZoneInfo, labels: Mapping[str, str]) -> None:
        self._zone, self._labels = zone, labels

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        since = datetime.now(UTC) - NEWS
        news = [each for each in batch if each.recorded_at >= since and not each.is_history]
        if not news:
            return
        columns = operators.c.name, operators.c.team, operators.c.preferences, operators.c.timezone
        found = select(*columns)
        active = connection.execute(found.where(operators.c.disabled_at.is_(None))).all()
        teams = {row.name: row.team for row in active}
        chosen = {row.name: preferences_from(row.preferences) for row in active}
        zones = {row.name: ZoneInfo(row.timezone) if row.timezone else self._zone for row in active}
        totals = _batches(connection, news)
        rows: dict[tuple[str, str, str | int | None], dict[str, Any]] = {}
        for recorded in news:
            event, actor = recorded.event, recorded.stored.operator
            batch_id = recorded.stored.causation_id or ""
            total = totals.get(batch_id, 0)
            cause = Cause(actor, _what(recorded, total), teams, self._labels)
            notices = NOTICES.get(type(event))
            for operator, kind, sentence in _first_each(
                notices(event, cause, connection) if notices else ()
            ):
                if (
                    operator in teams
                    and operator != actor
                    and kind not in chosen[operator].unwanted
                ):
                    key = operator, kind, batch_id if total else recorded.stored.position
                    row = _row(recorded, batch_id, total, operator, kind, sentence)
                    how = chosen[operator].mailed.get(kind, "")
                    row["mail_at"] = mail_at(how, recorded.recorded_at, zones[operator])
                    rows.setdefault(key, row)
        if rows:
            added = insert_into(connection, notifications).on_conflict_do_nothing()
            connection.execute(added, list(rows.values()))
        for recorded in news:
            if settling := SETTLING.get(type(recorded.event)):
                _settle(connection, recorded, settling(recorded.event))


def _settle(connection: Connection, recorded: Recorded, operator: str) -> None:
    """What an earlier event of a request asked of this operator, of everybody if empty, is done. An
    override awaits its review whatever becomes of the request, and what was asked of many requests
    of a batch at once is not done with one of them."""
    earlier = select(events.c.position).where(
        events.c.stream == recorded.stream, events.c.position < recorded.stored.position
    )
    if not isinstance(recorded.event, ApprovalOverrideReviewed):
        earlier = earlier.where(events.c.type != ApprovalOverridden.__name__)
    whom = [operator] if operator else select(operators.c.name)
    done = update(notifications).where(
        notifications.c.operator.in_(whom),
        notifications.c.position.in_(earlier),
        notifications.c.kind == NotificationKind.APPROVAL,
        notifications.c.batch_id.is_(None),
        notifications.c.read_at.is_(None),
    )
    connection.execute(done.values(read_at=recorded.recorded_at))


def mail_at(how: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """From when on what was recorded `at` is mailed: at once, or the next morning; None: never."""
    if how != "daily":
        return at if how == "at_once" else None
    here = at.astimezone(zone)
    morning = datetime.combine(here.date(), MORNING, zone)
    if morning <= here:
        morning = datetime.combine(here.date() + timedelta(days=1), MORNING, zone)
    return morning.astimezone(UTC)


def _batches(connection: Connection, news: Sequence[Recorded]) -> dict[str, int]:
    """How many items the batches have that sent the commands of these events."""
    causes = {each.stored.causation_id for each in news if each.stored.causation_id}
    found = select(batches.c.batch_id, batches.c.total).where(batches.c.batch_id.in_(causes))
    return {row.batch_id: row.total for row in connection.execute(found) if row.total > 1}


def _what(recorded: Recorded, total: int) -> str:
    if total:
        return f"a batch of {total:,} orders"
    return f"order {recorded.stream.partition('-')[2]}"


def _first_each(notices: Iterable[Notice]) -> Iterator[Notice]:
    """One notice for each operator: the first."""
    seen: set[str] = set()
    for notice in notices:
        if notice[0] not in seen:
            seen.add(notice[0])
            yield notice


def _row(
    recorded: Recorded,
    batch_id: str,
    total: int,
    operator: str,
    kind: NotificationKind,
    sentence: str,
) -> dict[str, Any]:
    """Of all items of a batch there is one, about the batch."""
    category, _, identity = recorded.stream.partition("-")
    stream = f"order-{identity}" if category == "assignment" else recorded.stream
    return {
        "operator": operator,
        "position": recorded.stored.position,
        "kind": kind,
        "sentence": sentence,
        "stream": CommandBatch.stream_of(batch_id) if total else stream,
        "at": recorded.recorded_at,
        "batch_id": batch_id if total else None,
    }
