"""Pauses grow, vary a little, and end in a pause for good."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from cqrs_app.kernel.subscriptions.schedule import PAUSES, pause_after


def test_pauses_grow_and_then_stay() -> None:
    made = [pause_after(failures, 0.5) for failures in range(1, len(PAUSES) + 3)]
    assert made[:3] == [timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30)]
    assert made[len(PAUSES) - 1 :] == [timedelta(hours=2)] * 3
    assert all(a < b for a, b in itertools.pairwise(made[: len(PAUSES)]))


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_a_pause_varies_by_a_fifth(chance: float, seconds: float) -> None:
    assert pause_after(1, chance).total_seconds() == pytest.approx(seconds)
