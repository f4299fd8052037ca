"""Keeps the rows of alerts and rules, and queues the notices of what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, delete, insert, update

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.alerts import notices
from cqrs_app.platform.alerts.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRuleChanged,
    AlertRuleSilenced,
    AlertRuleSilenceEnded,
    AlertSilenced,
    AlertSilenceEnded,
    TestAlertSent,
)
from cqrs_app.platform.alerts.tables import (
    alert_conditions,
    alert_entries,
    alert_rule_silences,
    alert_rules,
    alerts,
)


class Alerts(Subscription):
    """`channels` are the names of those that notices go to."""

    name: ClassVar[str] = "alerts"
    accepts_restored_log: ClassVar[bool] = True
    events: ClassVar[tuple[type[Event], ...] | None] = (
        AlertRaised,
        AlertAcknowledged,
        AlertResolved,
        AlertSilenced,
        AlertSilenceEnded,
        TestAlertSent,
        AlertRuleChanged,
        AlertRuleSilenced,
        AlertRuleSilenceEnded,
    )

    def __init__(self, channels: Sequence[str] = ()) -> None:
        self._channels = channels

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            self._carry_out(recorded, connection)

    def _carry_out(self, recorded: Recorded, connection: Connection) -> None:
        event, at, text = recorded.event, recorded.recorded_at, ""
        match event:
            case AlertRuleChanged():
                _change_rule(connection, event)
                return
            case AlertRuleSilenced():
                _silence_rule(connection, event, recorded)
                notices.reschedule(connection, at, alerts.c.rule == event.rule)
                return
            case AlertRuleSilenceEnded():
                mine = alert_rule_silences.c.rule == event.rule
                connection.execute(delete(alert_rule_silences).where(mine))
                notices.reschedule(connection, at, alerts.c.rule == event.rule)
                return
            case TestAlertSent():
                text = event.message
                notices.queue_test(connection, self._channels, text, recorded)
            case AlertRaised():
                text = event.title
                _raise(connection, event, recorded)
                notices.queue_raised(connection, self._channels, event, recorded)
            case AlertAcknowledged():
                text = event.note
                by = {"acknowledged_at": at, "acknowledged_by": recorded.stored.operator}
                _change(connection, event.alert_id, recorded, state="acknowledged", **by)
            case AlertResolved():
                text = event.note
                _change(connection, event.alert_id, recorded, state="resolved", resolved_at=at)
                _watch_anew(connection, event.alert_id)
                notices.queue_resolved(connection, self._channels, event.alert_id, recorded)
            case AlertSilenced():
                text = event.reason
                _change(connection, event.alert_id, recorded, silenced_until=event.until)
                notices.reschedule(connection, at, alerts.c.alert_id == event.alert_id)
            case AlertSilenceEnded():
                _change(connection, event.alert_id, recorded, silenced_until=None)
                notices.reschedule(connection, at, alerts.c.alert_id == event.alert_id)
            case _:
                raise TypeError(f"{type(event).__name__} is no event of alerts")
        _note(connection, recorded, event.alert_id, text)


def _raise(connection: Connection, event: AlertRaised, recorded: Recorded) -> None:
    values = {
        "alert_id": event.alert_id,
        "rule": event.rule,
        "subject": event.subject,
        "severity": event.severity,
        "owner": event.owner,
        "title": event.title,
        "cost": event.cost,
        "remedy": event.remedy,
        "state": "raised",
        "since": event.since,
        "raised_at": recorded.recorded_at,
        "acknowledged_at": None,
        "acknowledged_by": "",
        "resolved_at": None,
        "applied_version": recorded.stored.version,
    }
    row = insert_into(connection, alerts).values(**values, times=1)
    changes = values | {"times": alerts.c.times + 1}
    connection.execute(row.on_conflict_do_update(index_elements=["alert_id"], set_=changes))


def _change(connection: Connection, alert_id: str, recorded: Recorded, **changes: Any) -> None:
    changes["applied_version"] = recorded.stored.version
    connection.execute(update(alerts).where(alerts.c.alert_id == alert_id).values(**changes))


def _watch_anew(connection: Connection, alert_id: str) -> None:
    """So that an alert which somebody resolved is raised again if its problem goes on."""
    connection.execute(delete(alert_conditions).where(alert_conditions.c.alert_id == alert_id))


def _change_rule(connection: Connection, event: AlertRuleChanged) -> None:
    values = {column.name: getattr(event, column.name) for column in alert_rules.c}
    row = insert_into(connection, alert_rules).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=["rule"], set_=values))


def _silence_rule(connection: Connection, event: AlertRuleSilenced, recorded: Recorded) -> None:
    values = {"until": event.until, "reason": event.reason, "operator": recorded.stored.operator}
    row = insert_into(connection, alert_rule_silences).values(rule=event.rule, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["rule"], set_=values))


def _note(connection: Connection, recorded: Recorded, alert_id: str, text: str) -> None:
    connection.execute(
        insert(alert_entries).values(
            position=recorded.stored.position,
            alert_id=alert_id,
            type=recorded.stored.type,
            at=recorded.recorded_at,
            operator=recorded.stored.operator,
            text=text,
        )
    )
