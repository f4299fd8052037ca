"""Distributions are small, and exact to five percent however they came about."""

from __future__ import annotations

import random

import msgspec
import pytest

from cqrs_app.kernel.measurements.distribution import ACCURACY, Distribution, merged


def of(values: list[float]) -> Distribution:
    made = Distribution()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_off_by_five_percent_at_most(share: float) -> None:
    chance = random.Random(7)
    values = sorted(chance.lognormvariate(2, 1.5) for _ in range(20_000))
    exact = values[int(len(values) * share)]
    assert of(values).quantile(share) == pytest.approx(exact, rel=ACCURACY * 1.05)


def test_merging_gives_what_adding_everything_to_one_gives() -> None:
    chance = random.Random(8)
    values = [chance.expovariate(0.01) for _ in range(900)]
    together = merged(of(values[start::3]) for start in range(3))
    assert together.buckets == of(values).buckets
    assert together.largest == max(values)
    assert together.mean == pytest.approx(sum(values) / len(values))


def test_zero_and_less_are_values_too() -> None:
    found = of([0.0, -3.0, 0.0, 10.0])
    assert (found.count, found.quantile(0.5), found.largest) == (4, 0.001, 10.0)
    assert of([0.0]).quantile(0.5) == 0.0
    assert Distribution().quantile(0.5) == Distribution().mean == 0.0


def test_many_values_take_little_space() -> None:
    values = [10 ** random.Random(n).uniform(-3, 6) for n in range(5_000)]
    text = msgspec.json.encode(of(values))
    assert len(text) < 3_000
    assert msgspec.json.decode(text, type=Distribution) == of(values)
