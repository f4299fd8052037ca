"""Counters and histograms in the Prometheus format, from the counts that all processes add up in
the write store (kernel/statistics.py).

Each function is a family of metrics: see metrics.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Engine

from cqrs_app.kernel.errors import TooStale
from cqrs_app.kernel.statistics import BOUNDS, totals
from cqrs_app.kernel.store.engines import reader_of

PREFIX = "countersign"
STATUSES = ("2xx", "3xx", "4xx", "5xx", TooStale.code)
"""The last is 503 too, but no failure."""
RESULTS = ("finished", "failed")

Family = Callable[[], Iterable[Metric]]
Totals = list[tuple[str, str, float, int, float]]
"""(name, result, bucket, count, total milliseconds)."""


def commands(write: Engine, known: Mapping[str, Iterable[str]]) -> Iterator[Metric]:
    """Series of `known` commands and outcomes begin at 0, so that a first failure is an increase.
    A new series would go unnoticed."""
    found = _found(write, "command")
    yield _counter("commands", "Commands by outcome", ("name", "outcome"), found, known)
    yield _histogram("command_duration_seconds", "Time of commands", "name", found)


def queries(write: Engine, known: Mapping[str, Iterable[str]]) -> Iterator[Metric]:
    found = _found(write, "query")
    yield _counter("queries", "Queries by outcome", ("name", "outcome"), found, known)
    yield _histogram("query_duration_seconds", "Time of queries", "name", found)
    ages = _found(write, "age_served")
    yield _histogram("age_served_seconds", "Age of late answers", "name", ages)


def requests(write: Engine) -> Iterator[Metric]:
    found = _found(write, "request")
    known = dict.fromkeys((name for name, *_ in found), STATUSES)
    yield _counter("requests", "Requests by status", ("route", "status"), found, known)
    yield _histogram("request_duration_seconds", "Time of requests", "route", found)


def jobs(write: Engine) -> Iterator[Metric]:
    found = _found(write, "job")
    known = dict.fromkeys((name for name, *_ in found), RESULTS)
    labels = ("function", "outcome")
    yield _counter("performed_jobs", "Performed jobs by outcome", labels, found, known)
    yield _histogram("job_duration_seconds", "Time of jobs", "function", found)
    waits = _found(write, "job_wait")
    yield _histogram("job_wait_seconds", "Time jobs have waited in the queue", "kind", waits)


def updates(write: Engine) -> Iterator[Metric]:
    applied, visible = _found(write, "projection"), _found(write, "visible")
    text = "Time to apply an event"
    yield _histogram("apply_duration_seconds", text, "projection", applied)
    text = "Time from the commit of an event until it is visible, per batch"
    yield _histogram("visible_seconds", text, "projection", visible)


def _found(write: Engine, bus: str) -> Totals:
    with reader_of(write).connect() as connection:
        rows = connection.execute(totals(bus))
        return [(name, result, bound, int(count), ms) for name, result, bound, count, ms in rows]


def _counter(
    name: str,
    text: str,
    labels: tuple[str, str],
    found: Totals,
    known: Mapping[str, Iterable[str]],
) -> Metric:
    made = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    counts = {(of, each): 0 for of, results in known.items() for each in results}
    for of, result, _, count, _ in found:
        counts[of, result] = counts.get((of, result), 0) + count
    for values, count in sorted(counts.items()):
        made.add_metric(values, count)
    return made


def _histogram(name: str, text: str, label: str, found: Totals) -> Metric:
    made = HistogramMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    buckets: dict[str, dict[float, int]] = defaultdict(lambda: dict.fromkeys(BOUNDS, 0))
    sums: dict[str, float] = defaultdict(float)
    for of, _, bound, count, ms in found:
        buckets[of][bound] = buckets[of].get(bound, 0) + count
        sums[of] += ms / 1000
    for of, held in sorted(buckets.items()):
        seen, steps = 0, []
        for bound, count in sorted(held.items()):
            seen += count
            steps.append(("+Inf" if bound == BOUNDS[-1] else f"{bound / 1000:g}", seen))
        made.add_metric([of], buckets=steps, sum_value=sums[of])
    return made
