"""An alert and the rule that raises it: their commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.alerts.commands import (
    AcknowledgeAlert,
    ChangeAlertRule,
    EndAlertRuleSilence,
    EndSilence,
    RaiseAlert,
    ResolveAlert,
    SendTestAlert,
    SilenceAlert,
    SilenceAlertRule,
)
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
from cqrs_app.platform.alerts.rules import RULES

UNKNOWN = Refusal("no_such_alert", "No alert of this name was ever raised.")
NO_RULE = Refusal("no_such_alert_rule", "There is no alert rule of this name.")
ALREADY_RAISED = Refusal("already_raised", "It is already raised.")
ALREADY_ACKNOWLEDGED = Refusal("already_acknowledged", "It is already acknowledged.")
NOT_RAISED = Refusal("alert_not_raised", "It is not raised.")
NOT_SILENCED = Refusal("not_silenced", "It is not silenced.")
PAST = Refusal("past_moment", "It is to be silenced until a moment that has passed.")


@rule(UNKNOWN)
def exists(alert: Alert, alert_id: str) -> None:
    if not alert.state:
        raise UNKNOWN.because(f"There is no alert {alert_id}.")


@rule(NOT_RAISED, after=exists)
def is_on(alert: Alert, alert_id: str) -> None:
    if alert.state == "resolved":
        raise NOT_RAISED.because(f"The alert {alert_id} is already resolved.")


@rule(ALREADY_ACKNOWLEDGED, after=is_on)
def is_new(alert: Alert, alert_id: str) -> None:
    if alert.state == "acknowledged":
        raise ALREADY_ACKNOWLEDGED.because(f"The alert {alert_id} is already acknowledged.")


@rule(NOT_SILENCED, after=exists)
def is_silenced(alert: Alert, alert_id: str) -> None:
    if alert.silenced_until is None:
        raise NOT_SILENCED.because(f"The alert {alert_id} is not silenced.")


@rule(NO_RULE)
def is_known(alert_rule: AlertRule, rule: str) -> None:
    if rule not in RULES:
        raise NO_RULE.because(f"There is no alert rule {rule}.", f"There are: {', '.join(RULES)}.")


@rule(NOT_SILENCED, after=is_known)
def is_silent(alert_rule: AlertRule, rule: str) -> None:
    if alert_rule.silenced_until is None:
        raise NOT_SILENCED.because(f"The alert rule {rule} is not silenced.")


@dataclass
class Alert(Aggregate):
    """One rule about one thing: raised, acknowledged and resolved any number of times. A silence
    outlasts that."""

    category: ClassVar[str] = "alert"
    identity: ClassVar[str] = "alert_id"

    state: Literal["", "raised", "acknowledged", "resolved"] = ""
    silenced_until: datetime | None = None

    @handles(RaiseAlert, refusals=[ALREADY_RAISED])
    def raise_(self, command: RaiseAlert) -> Iterator[Event]:
        if self.state in ("raised", "acknowledged"):
            raise ALREADY_RAISED.because("It is already raised.")
        yield AlertRaised(
            alert_id=command.alert_id,
            rule=command.rule,
            subject=command.subject,
            severity=command.severity,
            owner=command.owner,
            title=command.title,
            cost=command.cost,
            remedy=command.remedy,
            value=command.value,
            since=command.since,
        )

    @handles(AcknowledgeAlert, when=is_new)
    def acknowledge(self, command: AcknowledgeAlert) -> Iterator[Event]:
        yield AlertAcknowledged(alert_id=command.alert_id, note=command.note)

    @handles(ResolveAlert, when=is_on)
    def resolve(self, command: ResolveAlert) -> Iterator[Event]:
        yield AlertResolved(alert_id=command.alert_id, note=command.note)

    @handles(SilenceAlert, when=exists, refusals=[PAST])
    def silence(self, command: SilenceAlert) -> Iterator[Event]:
        yield AlertSilenced(alert_id=command.alert_id, until=command.until, reason=command.reason)

    @handles(EndSilence, when=is_silenced)
    def end_silence(self, command: EndSilence) -> Iterator[Event]:
        yield AlertSilenceEnded(alert_id=command.alert_id)

    @handles(SendTestAlert)
    def test(self, command: SendTestAlert) -> Iterator[Event]:
        yield TestAlertSent(alert_id=command.alert_id, message=command.message)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case AlertRaised():
                self.state = "raised"
            case AlertAcknowledged():
                self.state = "acknowledged"
            case AlertResolved():
                self.state = "resolved"
            case AlertSilenced(until=until):
                self.silenced_until = until
            case AlertSilenceEnded():
                self.silenced_until = None


@dataclass
class AlertRule(Aggregate):
    """The changes to one rule of RULES, and its silence."""

    category: ClassVar[str] = "alert_rule"
    identity: ClassVar[str] = "rule"

    silenced_until: datetime | None = None

    @handles(ChangeAlertRule, when=is_known)
    def change(self, command: ChangeAlertRule) -> Iterator[Event]:
        yield AlertRuleChanged(
            rule=command.rule,
            enabled=command.enabled,
            raise_at=command.raise_at,
            clear_at=command.clear_at,
            pending_seconds=command.pending_seconds,
            severity=command.severity,
            owner=command.owner,
        )

    @handles(SilenceAlertRule, when=is_known, refusals=[PAST])
    def silence(self, command: SilenceAlertRule) -> Iterator[Event]:
        yield AlertRuleSilenced(rule=command.rule, until=command.until, reason=command.reason)

    @handles(EndAlertRuleSilence, when=is_silent)
    def end_silence(self, command: EndAlertRuleSilence) -> Iterator[Event]:
        yield AlertRuleSilenceEnded(rule=command.rule)

    def evolve(self, event: Event, at: datetime) -> None:
        # A change of the rule replaces the one before.
        match event:
            case AlertRuleSilenced(until=until):
                self.silenced_until = until
            case AlertRuleSilenceEnded():
                self.silenced_until = None


def only_until_later(call: Call, proceed: Proceed) -> Receipt:
    """Middleware: refuse a silence that would be over already."""
    command = call.command
    if isinstance(command, SilenceAlert | SilenceAlertRule) and command.until <= call.received_at:
        raise PAST.because("That moment has passed.", "Choose a later one.")
    return proceed(call)
