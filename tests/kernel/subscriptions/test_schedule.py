"""Pauses grow, vary a little, and end in a pause for good."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.kernel.subscriptions.schedule import PAUSES, has_failed_too_long, pause_after


def test_pauses_grow_and_then_stay() -> None:
    made = [pause_after(failures, 0.5) for failures in range(1, 10)]
    assert made[:2] == [timedelta(seconds=5), timedelta(seconds=30)]
    assert made[len(PAUSES) - 1 :] == [timedelta(hours=2)] * 3
    assert all(a < b for a, b in itertools.pairwise(made[: len(PAUSES)]))


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
def test_a_pause_varies_by_a_fifth(chance: float, seconds: float) -> None:
    assert pause_after(1, chance).total_seconds() == pytest.approx(seconds)


def test_too_long_is_as_long_as_the_setting_says() -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert not has_failed_too_long(since, since + timedelta(hours=71, minutes=59), 72)
    assert has_failed_too_long(since, since + timedelta(hours=72), 72)
