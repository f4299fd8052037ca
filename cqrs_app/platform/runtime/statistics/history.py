"""Statistics over a window of time, read from the measurements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from cqrs_app.kernel.measurements.reading import Window, read
from cqrs_app.kernel.measurements.rows import (
    KEPT,
    SLOT_SECONDS,
    Labels,
    Series,
    added_up,
    start_of,
)
from cqrs_app.platform.runtime.statistics.catalogue import (
    PROBLEMS,
    PROCESSES,
    RELEASE,
    Statistic,
)
from cqrs_app.platform.runtime.statistics.values import increase, narrowed, split, value

Steps = Mapping[datetime, Series]
NOT_ADDED_UP = timedelta(seconds=150)
UNFINISHED = timedelta(seconds=2 * SLOT_SECONDS)
"""What happened more recently may not be written yet."""


@dataclass(frozen=True, slots=True)
class StatisticLine:
    """The values of one label, or of all; None where nothing was measured."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that explains a chart: a `release` that began to run, or a `problem` and until when
    it lasted."""

    kind: str
    text: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """One row of a ranking: the values of its labels, and its times in milliseconds."""

    labels: tuple[str, ...]
    count: int
    total: float
    mean: float
    p95: float
    largest: float


def lines(
    connection: Connection,
    statistics: Collection[Statistic],
    over: Window,
    now: datetime,
    *,
    only: str = "",
    most: int = 0,
) -> dict[str, tuple[StatisticLine, ...]]:
    """Name -> one line, or with `most` up to so many lines, one for each value of its label.

    Where nothing ran, a rate is unknown, not zero: each process that runs records its release.
    """
    metrics = {each.metric for each in statistics} | {PROCESSES, RELEASE}
    found = read(connection, metrics, over)
    running = set(found[RELEASE])
    length = timedelta(seconds=over.seconds)
    # The last steps are left out while they are not complete, or not added up yet.
    steps = [
        start
        for start in over.steps
        if start + length + NOT_ADDED_UP <= now or (start in running and start + length <= now)
    ]
    drawn: dict[str, tuple[StatisticLine, ...]] = {}
    for each in statistics:
        mine: dict[datetime, Series] = {
            start: narrowed(each, series, only) for start, series in found[each.metric].items()
        }
        parts: Mapping[str, Steps] = _parts(each, mine, most) if most and each.by else {"": mine}
        drawn[each.name] = tuple(
            _line(each, label, part, found[PROCESSES], steps, running, over.seconds)
            for label, part in parts.items()
        )
    return drawn


def _line(
    statistic: Statistic,
    label: str,
    found: Steps,
    processes: Steps,
    steps: Sequence[datetime],
    running: set[datetime],
    seconds: int,
) -> StatisticLine:
    values: list[float | None] = []
    before: Series | None = None
    for start in steps:
        series = found.get(start, {})
        if start not in running:
            values.append(None)
        elif statistic.read == "increase":
            values.append(increase(before, series, seconds))
        else:
            values.append(value(statistic, series, seconds, processes.get(start)))
        before = series or before
    return StatisticLine(label, tuple(values))


def _parts(statistic: Statistic, found: Steps, most: int) -> dict[str, Steps]:
    """The steps of each label, those with the most first."""
    parts: dict[str, dict[datetime, Series]] = defaultdict(dict)
    totals: dict[str, float] = defaultdict(float)
    for start, series in found.items():
        for label, mine in split(statistic, series).items():
            parts[label][start] = mine
            totals[label] += value(statistic, mine, 60) or 0.0
    ranked = sorted(totals, key=lambda label: (-totals[label], label))
    return {label: parts[label] for label in ranked[:most]}


def now_values(
    connection: Connection, statistics: Iterable[Statistic], now: datetime
) -> dict[str, float | None]:
    """Name -> value over the last minute that is written."""
    statistics = tuple(statistics)
    end = start_of(now - UNFINISHED, SLOT_SECONDS)
    over = Window(end - timedelta(seconds=60), end, SLOT_SECONDS)
    metrics = {each.metric for each in statistics} | {PROCESSES}
    found = read(connection, metrics, over)
    whole = {metric: added_up(steps.values()) for metric, steps in found.items()}
    values: dict[str, float | None] = {}
    for each in statistics:
        if each.read == "increase":
            steps = sorted(found[each.metric].items())
            first, last = (steps[0], steps[-1]) if len(steps) > 1 else (None, None)
            values[each.name] = (
                increase(first[1], last[1], (last[0] - first[0]).total_seconds())
                if first and last
                else None
            )
        else:
            series = whole[each.metric]
            values[each.name] = value(each, series, 60, whole[PROCESSES])
    return values


def marks(connection: Connection, over: Window) -> Iterator[Mark]:
    """The releases that began in a window, and the problems in it."""
    found = read(connection, (RELEASE, PROBLEMS), over)
    known: set[Labels] = set()
    for start in sorted(found[RELEASE]):
        for labels in sorted(found[RELEASE][start].keys() - known):
            if known:
                yield Mark("release", labels[0], start)
        known |= found[RELEASE][start].keys()
    yield from _problems(found[PROBLEMS], over)


def _problems(found: Steps, over: Window) -> Iterator[Mark]:
    """Steps one after the other with the same problem are one mark."""
    kinds = {labels for series in found.values() for labels in series}
    length = timedelta(seconds=over.seconds)
    for labels in sorted(kinds):
        had = [start for start in sorted(found) if _is_there(found[start], labels)]
        breaks = [place for place, (a, b) in enumerate(pairwise(had), 1) if b - a > length]
        for first, last in pairwise([0, *breaks, len(had)]):
            if last > first:
                yield Mark("problem", labels[0], had[first], had[last - 1] + length)


def _is_there(series: Series, labels: Labels) -> bool:
    return labels in series and series[labels].largest > 0


def since(connection: Connection, metric: str, labels: Labels, now: datetime) -> datetime | None:
    """Since when samples of this series are above zero without a break, as far as they are kept;
    None if the last one is not."""
    began: datetime | None = None
    for seconds, kept in KEPT.items():
        over = Window(start_of(now - kept, seconds), now + timedelta(seconds=seconds), seconds)
        steps = read(connection, (metric,), over)[metric]
        had = [start for start in sorted(steps, reverse=True) if labels in steps[start]]
        for start in had:
            if steps[start][labels].largest <= 0:
                return began
            began = start if began is None else min(began, start)
        if began is None:
            return None
        if had and had[-1] > over.start + timedelta(seconds=seconds):
            # It has been so for as long as there are samples.
            return began
    return began


def slowest_in(connection: Connection, metric: str, over: Window) -> list[Top]:
    """The series of a metric, by the time spent in all."""
    series = added_up(read(connection, (metric,), over)[metric].values())
    if metric != "slow_statements":
        grouped: dict[Labels, list[Series]] = defaultdict(list)
        for labels, each in series.items():
            grouped[labels[:1]].append({labels[:1]: each})
        series = added_up(part for parts in grouped.values() for part in parts)
    return sorted(_tops(series), key=lambda top: -top.total)


def errors_in(connection: Connection, over: Window) -> list[Top]:
    series = added_up(read(connection, ("errors",), over)["errors"].values())
    return sorted(_tops(series), key=lambda top: (-top.count, top.labels))


def _tops(series: Series) -> Iterator[Top]:
    for labels, each in series.items():
        yield Top(labels, each.count, each.total, each.mean, each.quantile(0.95), each.largest)
