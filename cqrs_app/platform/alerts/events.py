"""What happened to alerts and their rules."""

from __future__ import annotations

from datetime import datetime

from cqrs_app.kernel.messages.messages import Event, event


@event()
class AlertRaised(Event):
    alert_id: str
    rule: str
    subject: str
    severity: str
    owner: str
    title: str
    cost: str
    remedy: str
    value: int
    since: datetime


@event()
class AlertAcknowledged(Event):
    alert_id: str
    note: str


@event()
class AlertResolved(Event):
    alert_id: str
    note: str


@event()
class AlertSilenced(Event):
    alert_id: str
    until: datetime
    reason: str


@event()
class AlertSilenceEnded(Event):
    alert_id: str


@event()
class TestAlertSent(Event):
    __test__ = False  # not a test case, despite its name

    alert_id: str
    message: str


@event()
class AlertRuleSilenced(Event):
    rule: str
    until: datetime
    reason: str


@event()
class AlertRuleSilenceEnded(Event):
    rule: str


@event()
class AlertRuleChanged(Event):
    rule: str
    enabled: bool
    raise_at: int
    clear_at: int
    pending_seconds: int
    severity: str
    owner: str
