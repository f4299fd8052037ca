"""The rows of notices: what is to be sent to each channel, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.alerts.commands import TEST
from cqrs_app.platform.alerts.events import AlertRaised
from cqrs_app.platform.alerts.tables import alert_notices, alert_rule_silences, alerts

LEASE = Lease(timedelta(seconds=60))
AT_ONCE = 50

_ROW = alert_notices.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One row of `alert_notices`, as far as it is needed to send it. `attempts` counts this one,
    `error` is that of the last one."""

    id: int
    alert_id: str
    channel: str
    kind: str
    title: str
    body: str
    attempts: int
    error: str
    created_at: datetime


_FIELDS = [_ROW[name] for name in Notice.__annotations__]


def queue_raised(
    connection: Connection, channels: Sequence[str], event: AlertRaised, recorded: Recorded
) -> None:
    """To those that have not heard of it: who was not told yet that it was resolved still takes it
    for raised."""
    told = _drop(connection, event.alert_id, "resolved", recorded.recorded_at)
    unaware = [each for each in channels if each not in told]
    title = f"{event.severity.capitalize()}: {event.title}"
    owner = f"Owner: {event.owner}" if event.owner else ""
    since = f"Since {event.since:%Y-%m-%d %H:%M} UTC."
    body = "\n".join(filter(None, (event.cost, since, event.remedy, owner)))
    at = _after_silence(connection, event.alert_id, recorded)
    _queue(connection, unaware, "raised", event.alert_id, title, body, recorded, at)


def queue_resolved(
    connection: Connection, channels: Sequence[str], alert_id: str, recorded: Recorded
) -> None:
    """To those that were sent, or may have been, that it was raised. What waits for the end of a
    silence is dropped."""
    dropped = _drop(connection, alert_id, "raised", recorded.recorded_at)
    row = connection.execute(select(alerts).where(alerts.c.alert_id == alert_id)).one()
    body = f"Raised {row.raised_at:%Y-%m-%d %H:%M} UTC, resolved by {recorded.stored.operator}."
    heard = [each for each in channels if each not in dropped]
    title = f"Resolved: {row.title}"
    at = _after_silence(connection, alert_id, recorded)
    _queue(connection, heard, "resolved", alert_id, title, body, recorded, at)


def _after_silence(connection: Connection, alert_id: str, recorded: Recorded) -> datetime:
    """At once, or at the end of the silences of the alert and its rule."""
    until = _silences_of(connection, alerts.c.alert_id == alert_id)[alert_id]
    return max(until or recorded.recorded_at, recorded.recorded_at)


def _drop(connection: Connection, alert_id: str, kind: str, at: datetime) -> set[str]:
    """Drop what would be sent later, after what contradicts it. Returns the channels to which it
    was not tried to send that."""
    later = (
        _ROW.alert_id == alert_id,
        _ROW.kind == kind,
        _ROW.state == "waiting",
        _ROW.next_attempt_at > at,
    )
    gone = update(alert_notices).where(*later).values(state="dropped")
    found = connection.execute(gone.returning(_ROW.channel, _ROW.attempts))
    return {row.channel for row in found if not row.attempts}


def queue_test(
    connection: Connection, channels: Sequence[str], message: str, recorded: Recorded
) -> None:
    title, body = "Test alert", f"{message}\nSent by {recorded.stored.operator}."
    at = recorded.recorded_at
    _queue(connection, channels, "test", TEST, title, body, recorded, at)


def _queue(
    connection: Connection,
    channels: Sequence[str],
    kind: str,
    alert_id: str,
    title: str,
    body: str,
    recorded: Recorded,
    at: datetime,
) -> None:
    rows = [
        {
            "alert_id": alert_id,
            "position": recorded.stored.position,
            "channel": channel,
            "kind": kind,
            "title": title,
            "body": body,
            "state": "waiting",
            "attempts": 0,
            "error": "",
            "created_at": recorded.recorded_at,
            "next_attempt_at": at,
        }
        for channel in channels
    ]
    if rows:
        connection.execute(insert(alert_notices), rows)


def reschedule(connection: Connection, at: datetime, which: ColumnElement[bool]) -> None:
    """Send what waits for these alerts once neither they nor their rules are silenced, at the
    earliest at `at`."""
    for alert_id, until in _silences_of(connection, which).items():
        waiting = (_ROW.alert_id == alert_id, _ROW.state == "waiting")
        again = max(until or at, at)
        connection.execute(update(alert_notices).where(*waiting).values(next_attempt_at=again))


def _silences_of(connection: Connection, which: ColumnElement[bool]) -> dict[str, datetime | None]:
    """Alert -> the end of its silence or that of its rule, the later one."""
    of_rule = alert_rule_silences.c
    both = select(alerts.c.alert_id, alerts.c.silenced_until, of_rule.until).select_from(
        alerts.outerjoin(alert_rule_silences, of_rule.rule == alerts.c.rule)
    )
    return {
        alert_id: max(filter(None, ends), default=None)
        for alert_id, *ends in connection.execute(both.where(which))
    }


def due(engine: Engine, now: datetime) -> list[int]:
    """The notices that can be sent now and that nobody is sending."""
    found = select(_ROW.id).where(*_is_due(now)).order_by(_ROW.next_attempt_at, _ROW.id)
    with reader_of(engine).connect() as connection:
        return list(connection.execute(found.limit(AT_ONCE)).scalars())


def take(engine: Engine, notice_id: int, now: datetime) -> Notice | None:
    """The notice, leased to the caller, with this attempt counted; None if it is not due any
    more."""
    mine = update(alert_notices).where(_ROW.id == notice_id, *_is_due(now))
    with engine.begin() as connection:
        row = connection.execute(
            mine.values(taken_until=LEASE.end(), attempts=_ROW.attempts + 1).returning(*_FIELDS)
        ).one_or_none()
    return Notice(**row._mapping) if row else None


def finish(
    engine: Engine, notice: Notice, state: str, error: str, now: datetime, again: datetime
) -> None:
    """Note how an attempt ended. One that is waiting still is tried again then, or at the end of a
    silence that began during the attempt."""
    changes = {
        "state": state,
        "error": error,
        "sent_at": now if state == "sent" else None,
        "taken_until": None,
    }
    with engine.begin() as connection:
        until = _silences_of(connection, alerts.c.alert_id == notice.alert_id).get(notice.alert_id)
        changes["next_attempt_at"] = max(until or again, again)
        connection.execute(update(alert_notices).where(_ROW.id == notice.id).values(**changes))


def forget_before(engine: Engine, moment: datetime) -> int:
    """Delete notices of before that do not wait; returns how many."""
    old = delete(alert_notices).where(_ROW.state != "waiting", _ROW.created_at < moment)
    with engine.begin() as connection:
        return connection.execute(old).rowcount


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    waiting = (_ROW.state == "waiting", _ROW.next_attempt_at <= now)
    return *waiting, LEASE.is_free(_ROW.taken_until)
