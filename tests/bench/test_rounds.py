"""Sides that take turns."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from bench.clients.load import KEPT, Sent
from bench.rounds import Plan, measure, median_ms, rate, spread


def test_every_side_has_its_turn_in_each_round_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []

    def side(name: str, seconds: float) -> float:
        turns.append(name)
        return len(turns) * seconds

    plan = Plan(rounds=6, seconds=0.5, quick=True)
    names = ("a", "b", "c")
    found = measure({each: partial(side, each) for each in names}, plan)
    rounds = [turns[start : start + 3] for start in range(0, len(turns), 3)]
    assert len(rounds) == 7
    assert all(sorted(each) == list(names) for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1, "their order does not change"
    for name in names:
        assert found[name] == [
            (3 * number + each.index(name) + 1) * 0.5
            for number, each in enumerate(rounds)
            if number
        ]


def test_a_spread_compares_round_by_round() -> None:
    assert spread([10, 1, 6], [5, 1, 2]).median == 2
    assert spread([4.0]).median == spread([4.0]).lower == 4


def test_sides_of_unequal_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        spread([1, 2], [1])


def test_a_rate_counts_steps_and_a_median_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock moves by 10 ms at each look.
    ticks = itertools.count()
    monkeypatch.setattr("bench.rounds.time.perf_counter", lambda: next(ticks) / 100)
    steps: list[int] = []
    per_second = rate(lambda: steps.append(1), per_step=3)(1.0)
    assert len(steps) == 99
    assert per_second == pytest.approx(3 * 99 / 1.0)
    assert median_ms(lambda: None)(1.0) == pytest.approx(10)


def test_a_client_s_durations_are_described_once_and_the_latest_are_kept() -> None:
    sent = Sent()
    for each in (1.0, 2.0):
        sent.add(each)
    assert sent.new() == [1.0, 2.0]
    assert sent.new() == []
    for number in range(KEPT + 10):
        sent.add(float(number))
    assert sent.new() == [float(number) for number in range(10, KEPT + 10)]
