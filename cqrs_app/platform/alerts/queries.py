"""Queries on alerts: what is raised and pending, one with its history, the rules, the notices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Select, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.alerts.commands import VIEW, AlertId
from cqrs_app.platform.alerts.rules import RULES, Rule
from cqrs_app.platform.alerts.tables import (
    alert_conditions,
    alert_entries,
    alert_notices,
    alert_rule_silences,
    alert_rules,
    alert_tasks,
    alerts,
)
from cqrs_app.platform.failures.queries import count_open

_ALERT, _CONDITION, _NOTICE = alerts.c, alert_conditions.c, alert_notices.c

State = Literal["on", "resolved", "all"]
_COUNT_ON = select(func.count()).select_from(alerts).where(_ALERT.state != "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert as it is now: `state` is raised, acknowledged or resolved, `since` when its problem
    began. `value` is in the unit of its rule, None once it is over."""

    alert_id: str
    rule: str
    subject: str
    severity: str
    owner: str
    title: str
    cost: str
    remedy: str
    state: str
    since: datetime
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    silenced_until: datetime | None
    times: int
    applied_version: int
    value: float | None


_FIELDS = [_ALERT[name] for name in AlertRow.__annotations__ if name != "value"]


@query(label="Alerts", permission=VIEW, store="write")
class ListAlerts(Query):
    """Alerts by state, critical ones first, then the last raised. `on` are those that are raised or
    acknowledged."""

    state: State = "on"
    limit: Annotated[int, Meta(title="Alerts", ge=1, le=200)] = 100


def list_alerts(question: ListAlerts, connection: Connection) -> tuple[AlertRow, ...]:
    wanted = {
        "on": _ALERT.state != "resolved",
        "resolved": _ALERT.state == "resolved",
    }.get(question.state)
    ordered = _rows().order_by(_ALERT.severity, _ALERT.raised_at.desc(), _ALERT.alert_id)
    if question.state == "resolved":
        ordered = _rows().order_by(_ALERT.resolved_at.desc(), _ALERT.alert_id)
    found = ordered if wanted is None else ordered.where(wanted)
    rows = connection.execute(found.limit(question.limit))
    return tuple(AlertRow(**row._mapping) for row in rows)


def _rows() -> Select[Any]:
    joined = alerts.outerjoin(alert_conditions, _CONDITION.alert_id == _ALERT.alert_id)
    return select(*_FIELDS, _CONDITION.value).select_from(joined)


@query(label="Raised alerts", permission=VIEW, store="write")
class CountAlerts(Query):
    """How many alerts are raised or acknowledged."""


def count_alerts(question: CountAlerts, connection: Connection) -> int:
    return int(connection.execute(_COUNT_ON).scalar_one())


def open_counts(connection: Connection, now: datetime) -> dict[str, int]:
    """How many failures are open and alerts are on, in one statement."""
    failures, on = count_open(now).scalar_subquery(), _COUNT_ON.scalar_subquery()
    row = connection.execute(select(failures, on)).one()
    return {"failures": row[0], "alerts": row[1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """A problem that becomes an alert at `active_at` unless it is over by then."""

    alert_id: str
    rule: str
    title: str
    cost: str
    since: datetime
    active_at: datetime
    value: float


@query(label="Pending alerts", permission=VIEW, store="write")
class ListPendingAlerts(Query):
    """Problems that have not lasted long enough yet, the next to become an alert first."""


def list_pending_alerts(
    question: ListPendingAlerts, connection: Connection
) -> tuple[PendingRow, ...]:
    rules = rules_in(connection)
    found = select(alert_conditions).where(_CONDITION.raised.is_(False))
    rows = [
        PendingRow(
            alert_id=row.alert_id,
            rule=row.rule,
            title=row.title,
            cost=row.cost,
            since=row.since,
            active_at=row.since + timedelta(seconds=rules[row.rule].pending_seconds),
            value=row.value,
        )
        for row in connection.execute(found)
        if row.rule in rules
    ]
    return tuple(sorted(rows, key=lambda each: (each.active_at, each.alert_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One event of an alert. `text` is what was noted with it."""

    position: int
    type: str
    at: datetime
    operator: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice to one channel: waiting, sent, dropped (overtaken by its opposite) or failed."""

    alert_id: str
    channel: str
    kind: str
    title: str
    state: str
    attempts: int
    error: str
    created_at: datetime
    next_attempt_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert with its rule, its history and its notices, newest first."""

    alert: AlertRow
    rule: Rule | None
    entries: tuple[AlertEntry, ...]
    notices: tuple[NoticeRow, ...]


@query(label="Alert", permission=VIEW, store="write")
class GetAlert(Query):
    """One alert, or nothing."""

    alert_id: AlertId
    limit: Annotated[int, Meta(title="Entries", ge=1, le=200)] = 50


def get_alert(question: GetAlert, connection: Connection) -> AlertView | None:
    row = connection.execute(_rows().where(_ALERT.alert_id == question.alert_id)).one_or_none()
    if row is None:
        return None
    entries = alert_entries.c
    history = (
        select(*(entries[name] for name in AlertEntry.__annotations__))
        .where(entries.alert_id == question.alert_id)
        .order_by(entries.position.desc())
        .limit(question.limit)
    )
    return AlertView(
        alert=AlertRow(**row._mapping),
        rule=rules_in(connection).get(row.rule),
        entries=tuple(AlertEntry(**each._mapping) for each in connection.execute(history)),
        notices=_notices(connection, question.limit, _NOTICE.alert_id == question.alert_id),
    )


@query(label="Alert notices", permission=VIEW, store="write")
class ListNotices(Query):
    """The last notices to all channels, newest first."""

    limit: Annotated[int, Meta(title="Notices", ge=1, le=200)] = 20


def list_notices(question: ListNotices, connection: Connection) -> tuple[NoticeRow, ...]:
    return _notices(connection, question.limit)


def _notices(
    connection: Connection, limit: int, *where: ColumnElement[bool]
) -> tuple[NoticeRow, ...]:
    found = select(*(_NOTICE[name] for name in NoticeRow.__annotations__)).where(*where)
    rows = connection.execute(found.order_by(_NOTICE.id.desc()).limit(limit))
    return tuple(NoticeRow(**each._mapping) for each in rows)


@query(label="Alert rules", permission=VIEW, store="write")
class ListAlertRules(Query):
    """Every rule as it is now."""


def list_alert_rules(question: ListAlertRules, connection: Connection) -> tuple[Rule, ...]:
    return tuple(rules_in(connection).values())


def rules_in(connection: Connection) -> dict[str, Rule]:
    """Name -> the rule, with the changes made to it and the end of its silence."""
    changed = {row.rule: _changes(row) for row in connection.execute(select(alert_rules))}
    silenced = dict(
        connection.execute(select(alert_rule_silences.c.rule, alert_rule_silences.c.until)).all()
    )
    return {
        name: replace(rule, silenced_until=silenced.get(name), **changed.get(name, {}))
        for name, rule in RULES.items()
    }


def _changes(row: Any) -> dict[str, Any]:
    names = ("enabled", "raise_at", "clear_at", "pending_seconds", "severity", "owner")
    return {name: getattr(row, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """A task of the alerts: when it last succeeded, and what kept it from it."""

    name: str
    done_at: datetime | None
    error: str


@query(label="Alert tasks", permission=VIEW, store="write")
class ListAlertTasks(Query):
    """When problems were last looked for, and when the heartbeat was last sent."""


def list_alert_tasks(question: ListAlertTasks, connection: Connection) -> tuple[TurnRow, ...]:
    columns = alert_tasks.c
    found = select(columns.name, columns.done_at, columns.error).order_by(columns.name)
    return tuple(TurnRow(**row._mapping) for row in connection.execute(found))
