"""The rules for raising, acknowledging, resolving and silencing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.testing import Given
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

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ID = "parked.orders"
RAISE = RaiseAlert(
    alert_id=ID, rule="parked", subject="orders", severity="warning", title="Parked", since=NOW
)
RAISED = AlertRaised(
    alert_id=ID, rule="parked", subject="orders", severity="warning", owner="", title="Parked",
    cost="", remedy="", value=0, since=NOW,
)  # fmt: skip
ACKNOWLEDGED = AlertAcknowledged(alert_id=ID, note="On it.")
RESOLVED = AlertResolved(alert_id=ID, note="")
SILENCED = AlertSilenced(alert_id=ID, until=NOW + timedelta(hours=1), reason="Known.")


REGISTRY = build_registry()


class given:  # noqa: N801 - it reads as a sentence
    """Events as given, and what comes of one more command."""

    def __init__(self, *before: Event) -> None:
        self._given = Given(REGISTRY, NOW, before)

    def events(self, command: Command) -> list[Event]:
        return list(self._given.when(command).events)

    def refusal(self, command: Command) -> str:
        refused = self._given.when(command).refusal
        assert refused
        return refused.code


def test_an_alert_is_raised_once_until_it_is_resolved() -> None:
    assert given().events(RAISE) == [RAISED]
    assert given(RAISED).refusal(RAISE) == "already_raised"
    assert given(RAISED, ACKNOWLEDGED).refusal(RAISE) == "already_raised"
    assert given(RAISED, RESOLVED).events(RAISE) == [RAISED]


def test_an_alert_is_acknowledged_once_and_resolved_once() -> None:
    acknowledge = AcknowledgeAlert(alert_id=ID, note="On it.")
    assert given().refusal(acknowledge) == "no_such_alert"
    assert given(RAISED).events(acknowledge) == [ACKNOWLEDGED]
    assert given(RAISED, ACKNOWLEDGED).refusal(acknowledge) == "already_acknowledged"
    resolve = ResolveAlert(alert_id=ID)
    assert given(RAISED, ACKNOWLEDGED).events(resolve) == [RESOLVED]
    assert given(RAISED, RESOLVED).refusal(resolve) == "alert_not_raised"
    assert given(RAISED, RESOLVED).refusal(acknowledge) == "alert_not_raised"


def test_a_silence_outlasts_the_end_of_the_alert_and_can_be_ended() -> None:
    silence = SilenceAlert(alert_id=ID, until=NOW + timedelta(hours=1), reason="Known.")
    assert given().refusal(silence) == "no_such_alert"
    assert given(RAISED, RESOLVED).events(silence) == [SILENCED]
    end = EndSilence(alert_id=ID)
    assert given(RAISED, SILENCED, RESOLVED).events(end) == [AlertSilenceEnded(alert_id=ID)]
    assert given(RAISED).refusal(end) == "not_silenced"


def test_a_test_alert_needs_no_alert() -> None:
    assert given().events(SendTestAlert(message="Hello.")) == [
        TestAlertSent(alert_id="test", message="Hello.")
    ]


def change(rule: str, raise_at: int, clear_at: int) -> ChangeAlertRule:
    return ChangeAlertRule(
        rule=rule, raise_at=raise_at, clear_at=clear_at, pending_seconds=60, severity="critical"
    )


def test_a_rule_is_changed_by_an_event_and_an_unknown_one_refused() -> None:
    [changed] = given().events(change("behind", 30, 10))
    assert isinstance(changed, AlertRuleChanged)
    assert (changed.raise_at, changed.clear_at, changed.enabled) == (30, 10, True)
    assert given().refusal(change("nothing", 30, 10)) == "no_such_alert_rule"


@pytest.mark.parametrize(
    ("rule", "raise_at", "clear_at"), [("behind", 5, 6), ("certificate", 6, 5)]
)
def test_an_alert_cannot_end_beyond_where_it_is_raised(
    rule: str, raise_at: int, clear_at: int
) -> None:
    with pytest.raises(Invalid) as refused:
        change(rule, raise_at, clear_at)
    assert list(refused.value.problems) == ["clear_at"]


def test_a_whole_rule_is_silenced_and_the_silence_ended() -> None:
    until = NOW + timedelta(hours=1)
    silence = SilenceAlertRule(rule="parked", until=until, reason="We deploy.")
    silenced = AlertRuleSilenced(rule="parked", until=until, reason="We deploy.")
    assert given().events(silence) == [silenced]
    end = EndAlertRuleSilence(rule="parked")
    assert given().refusal(end) == "not_silenced"
    assert given(silenced).events(end) == [AlertRuleSilenceEnded(rule="parked")]
    assert given(silenced, AlertRuleSilenceEnded(rule="parked")).refusal(end) == "not_silenced"
    unknown = SilenceAlertRule(rule="nothing", until=until, reason="We deploy.")
    assert given().refusal(unknown) == "no_such_alert_rule"
