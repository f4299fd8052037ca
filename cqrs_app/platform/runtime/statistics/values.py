"""Reads a statistic from the values of a step of time. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from cqrs_app.kernel.measurements.distribution import Distribution, merged
from cqrs_app.kernel.measurements.rows import Labels, Series
from cqrs_app.platform.runtime.statistics.catalogue import METRICS, Statistic

QUANTILES: Mapping[str, Callable[[Distribution], float]] = {
    "mean": lambda found: found.mean,
    "p50": lambda found: found.quantile(0.5),
    "p95": lambda found: found.quantile(0.95),
    "p99": lambda found: found.quantile(0.99),
}
STATES = ("largest", "average")
"""Readings of samples, which are states: the sum over labels, not over samples."""


def split(statistic: Statistic, series: Series) -> dict[str, Series]:
    """The series of each value of the label that the statistic is split by."""
    if not statistic.by:
        return {"": series}
    place = METRICS[statistic.metric].index(statistic.by)
    found: dict[str, dict[Labels, Distribution]] = defaultdict(dict)
    for labels, each in series.items():
        found[labels[place]][labels] = each
    return dict(found)


def value(
    statistic: Statistic, series: Series, seconds: float, alive: Series | None = None
) -> float | None:
    """The value over a step of so many seconds; None where there is none. `alive` are the processes
    of that step."""
    chosen = _matching(statistic.metric, series, statistic.where)
    found = merged(chosen.values())
    if statistic.read == "rate":
        return found.count * 60 / seconds
    if statistic.read == "total":
        return found.total * 60 / seconds
    if statistic.read == "share":
        of = merged(_matching(statistic.metric, series, statistic.among).values()).count
        return found.count / of if of else None
    if statistic.read in STATES:
        return _state(statistic.read, chosen)
    if statistic.read == "busy":
        return _busy(statistic, series, seconds, alive or {})
    return QUANTILES[statistic.read](found) if found.count else None


def increase(before: Series | None, series: Series, seconds: float) -> float | None:
    """Per second, of a sampled counter that only rises."""
    if not before or not series:
        return None
    rise = merged(series.values()).largest - merged(before.values()).largest
    return max(rise, 0.0) / seconds


def _state(read: str, series: Series) -> float | None:
    """The worst of several subscriptions or processes."""
    if not series:
        return None
    return max(each.largest if read == "largest" else each.mean for each in series.values())


def _busy(statistic: Statistic, series: Series, seconds: float, alive: Series) -> float | None:
    kinds = {labels[METRICS[statistic.metric].index(statistic.by)] for labels in series}
    count = sum(each.mean for (kind,), each in alive.items() if kind in kinds)
    if not count:
        return None
    return min(1.0, merged(series.values()).total / 1000 / seconds / count)


def _matching(metric: str, series: Series, where: Mapping[str, tuple[str, ...]]) -> Series:
    names = METRICS[metric]
    return {
        labels: each
        for labels, each in series.items()
        if all(labels[names.index(name)] in values for name, values in where.items())
    }


def narrowed(statistic: Statistic, series: Series, to: str) -> Series:
    """Only those of one value of the label that the statistic is split by; all if it is empty."""
    return split(statistic, series).get(to, {}) if to else series
