"""When read models are compared by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cqrs_app.environment import SettingsError
from cqrs_app.platform.runtime.reconciliation import Schedule
from cqrs_app.settings import Settings

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "end", "hour", "is_due"),
    [
        ("01:00", "05:00", 0, True),
        ("01:00", "05:00", 3, True),
        ("01:00", "05:00", 4, False),
        ("01:00", "05:00", 23, False),
        ("22:00", "02:00", 23, True),
        ("22:00", "02:00", 0, True),
        ("22:00", "02:00", 12, False),
        ("00:00", "00:00", 12, True),
    ],
)
def test_it_is_due_at_night_as_it_is_in_the_shop(
    start: str, end: str, hour: int, *, is_due: bool
) -> None:
    schedule = Schedule(24, time.fromisoformat(start), time.fromisoformat(end), BERLIN)
    now = datetime(2026, 11, 29, hour, 30, tzinfo=UTC)
    assert schedule.before(now) == (now - timedelta(hours=24) if is_due else None)


def test_with_no_hours_between_two_runs_it_is_never_due() -> None:
    schedule = Schedule(0, time(0), time(0), BERLIN)
    assert schedule.before(datetime(2026, 11, 29, tzinfo=UTC)) is None


@pytest.mark.parametrize("window", ["at night", "01:00", "25:00-26:00", ""])
def test_a_window_that_is_no_two_times_of_day_is_refused(window: str) -> None:
    with pytest.raises(SettingsError, match="RECONCILE_WINDOW"):
        Settings(reconcile_window=window).resolved()
