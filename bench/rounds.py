"""Paired measurements: short slices in random order, compared within each round.

A noisy machine slows down both sides of a round alike. So the median of the ratios is stable even
if the rates themselves vary by a third.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Slice = Callable[[float], float]
"""Works for this many seconds; returns what is compared: a rate per second, or a duration in ms."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of rounds and the seconds per slice. A quick plan also uses smaller stores."""

    rounds: int
    seconds: float
    quick: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the quartiles of the rounds."""

    median: float
    lower: float
    upper: float


def measure(sides: Mapping[str, Slice], plan: Plan, seed: int = 1) -> dict[str, list[float]]:
    """Run every side once per round, in random order, after a warm-up round."""
    order = random.Random(seed)
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(plan.rounds + 1):
        names = list(sides)
        order.shuffle(names)
        for name in names:
            value = sides[name](plan.seconds)
            if number:
                found[name].append(value)
    return found


def spread(of: Sequence[float], to: Sequence[float] | None = None) -> Spread:
    """The ratios of `of` to `to`, round by round, or the figures of `of`."""
    figures = [one / other for one, other in zip(of, to, strict=True)] if to else list(of)
    if len(figures) < 2:
        return Spread(figures[0], figures[0], figures[0])
    lower, middle, upper = statistics.quantiles(figures, n=4)
    return Spread(middle, lower, upper)


def rate(step: Callable[[], object], per_step: int = 1) -> Slice:
    """A slice that repeats `step` and returns steps (times `per_step`) per second."""

    def run(seconds: float) -> float:
        started = time.perf_counter()
        count = 0
        while (elapsed := time.perf_counter() - started) < seconds:
            step()
            count += per_step
        return count / elapsed

    return run


def median_ms(step: Callable[[], object]) -> Slice:
    """A slice that repeats `step` and returns its median duration in ms."""

    def run(seconds: float) -> float:
        until = time.perf_counter() + seconds
        durations = []
        while (started := time.perf_counter()) < until:
            step()
            durations.append((time.perf_counter() - started) * 1000)
        return statistics.median(durations)

    return run


def p95_ms(step: Callable[[], object]) -> Slice:
    """A slice that repeats `step` and returns what 95 of 100 do not exceed, in ms."""

    def run(seconds: float) -> float:
        until = time.perf_counter() + seconds
        durations = []
        while (started := time.perf_counter()) < until:
            step()
            durations.append((time.perf_counter() - started) * 1000)
        return percentile(durations, 0.95)

    return run


def percentile(found: Sequence[float], share: float) -> float:
    """The smallest value that at least this fraction of the values does not exceed."""
    return sorted(found)[min(len(found) - 1, int(len(found) * share))]
