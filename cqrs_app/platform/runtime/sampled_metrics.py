"""Gauges in the Prometheus format, from what was sampled in the last minute (sampling.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Engine

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.measurements.distribution import Distribution
from cqrs_app.kernel.measurements.reading import latest
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.runtime.counted_metrics import PREFIX
from cqrs_app.platform.runtime.statistics.catalogue import METRICS

Read = Callable[[Distribution], float]

LARGEST: Read = attrgetter("largest")
MEAN: Read = attrgetter("mean")

GAUGES: dict[str, tuple[str, str, Read]] = {
    "memory": ("memory_bytes", "Memory of the largest process of a kind", LARGEST),
    "database_size": ("database_size_bytes", "Size of a database", MEAN),
    "jobs_waiting": ("jobs_waiting", "Jobs in the queue of a kind of worker", LARGEST),
    "commands_waiting": ("commands_waiting", "Queued commands", LARGEST),
    "problems": ("problems", "1 where System shows a problem of this kind", LARGEST),
    "release": ("release_info", "Releases that run", LARGEST),
}
"""Metric of the measurements -> name, text and how it is read."""


def sampled_metrics(write: Engine, clock: Clock) -> Iterator[Metric]:
    """A family of metrics: see metrics.py. Without a worker and a sweep nothing is sampled."""
    with reader_of(write).connect() as connection:
        found = latest(connection, GAUGES, clock())
    for metric, (name, text, read) in GAUGES.items():
        made = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=METRICS[metric])
        for labels, each in sorted(found[metric].items()):
            made.add_metric(labels, read(each))
        yield made
