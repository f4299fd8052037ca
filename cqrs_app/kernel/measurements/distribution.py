"""The distribution of many values in a few numbers, which can be merged without losing accuracy.

A sketch with logarithmic buckets (Masson, Rim, Lee: DDSketch, VLDB 2019, arxiv.org/abs/1908.10693):
a quantile is off by at most 5 %, whatever the values and however often sketches were merged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

ACCURACY = 0.05
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LEAST = 0.001
"""Smaller values count as this one."""

_LOG_GAMMA = math.log(GAMMA)
_FIRST = math.ceil(math.log(LEAST) / _LOG_GAMMA)


class Distribution(msgspec.Struct, array_like=True):
    """How many values there were, their sum, the largest, and how many fell into each bucket."""

    count: int = 0
    total: float = 0.0
    largest: float = 0.0
    buckets: dict[int, int] = msgspec.field(default_factory=dict)

    def add(self, value: float, times: int = 1) -> None:
        """Add a value, as often as `times` says. Negative ones count as zero."""
        value = max(value, 0.0)
        bucket = math.ceil(math.log(value) / _LOG_GAMMA) if value > LEAST else _FIRST
        self.count += times
        self.total += value * times
        self.largest = max(self.largest, value)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + times

    def merge(self, other: Distribution) -> None:
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """The value that this share of the values, 0 to 1, does not exceed."""
        seen = 0
        for bucket, count in sorted(self.buckets.items()):
            seen += count
            if seen >= self.count * share:
                if bucket == _FIRST:
                    return min(LEAST, self.largest)
                return min(2 * GAMMA**bucket / (GAMMA + 1), self.largest)
        return 0.0


def merged(distributions: Iterable[Distribution]) -> Distribution:
    """One distribution of all the values."""
    found = Distribution()
    for each in distributions:
        found.merge(each)
    return found
