"""When a problem becomes an alert, and when that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cqrs_app.platform.alerts.deciding import Watched, watch
from cqrs_app.platform.alerts.rules import RULES

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LAG = replace(RULES["behind"], raise_at=60, clear_at=5, pending_seconds=120)


def after(*values: float | None, every: int = 60) -> Watched | None:
    """What is known after these values, one every so many seconds."""
    known: Watched | None = None
    for number, value in enumerate(values):
        known = watch(LAG, known, value, NOW + timedelta(seconds=number * every))
    return known


def test_a_problem_is_raised_once_it_has_lasted_the_pending_time() -> None:
    assert after(61) == Watched(NOW, 61, raised=False)
    assert after(61, 70) == Watched(NOW, 70, raised=False)
    assert after(61, 70, 60) == Watched(NOW, 60, raised=True)


def test_pending_time_starts_over_when_the_value_was_below_the_limit() -> None:
    assert after(61, 59, 61, 70) == Watched(NOW + timedelta(seconds=120), 70, raised=False)


def test_an_alert_lasts_until_the_value_is_below_the_lower_limit() -> None:
    assert after(61, 61, 61, 30) == Watched(NOW, 30, raised=True)
    assert after(61, 61, 61, 4) is None
    assert after(61, 61, 61, None) is None


def test_where_less_is_worse_an_alert_ends_above_its_limit() -> None:
    certificate = RULES["certificate"]
    raised = watch(certificate, None, 14, NOW)
    assert raised == Watched(NOW, 14, raised=True)
    assert watch(certificate, raised, 15, NOW) is None
    assert watch(certificate, None, 15, NOW) is None


def test_without_pending_time_it_is_raised_at_once() -> None:
    assert watch(RULES["drift"], None, 1, NOW) == Watched(NOW, 1, raised=True)


def test_a_rule_that_is_off_raises_nothing_and_ends_what_is_raised() -> None:
    off = replace(LAG, enabled=False, pending_seconds=0)
    assert watch(off, None, 100, NOW) is None
    assert watch(off, Watched(NOW, 100, raised=True), 100, NOW) is None
