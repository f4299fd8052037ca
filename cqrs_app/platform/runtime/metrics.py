"""The console's state in Prometheus' format, read from the stores: the same from any process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections import checkpoints
from cqrs_app.kernel.statistics import BOUNDS, totals
from cqrs_app.platform.runtime import health

PREFIX = "countersign"


class ConsoleCollector(Collector):
    """Collects when asked; keeps nothing."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def collect(self) -> Iterable[Metric]:
        yield from self._parts()
        with self._kernel.engines.query.connect() as connection:
            yield from self._projections(connection)
            for bus, plural in (("command", "commands"), ("query", "queries")):
                yield from _bus(connection, bus, plural)

    def _parts(self) -> Iterator[Metric]:
        state = health.look(self._kernel)
        up = GaugeMetricFamily(f"{PREFIX}_up", "1 where the part works", labels=["part"])
        for part in ("write_store", "read_store", "redis"):
            up.add_metric([part], float(getattr(state, part)))
        yield up
        alive = GaugeMetricFamily(f"{PREFIX}_processes", "Processes alive", labels=["kind"])
        alive.add_metric(["worker"], state.workers)
        alive.add_metric(["sweep"], state.sweeps)
        yield alive
        if state.waiting_jobs is not None and state.failed_jobs is not None:
            jobs = GaugeMetricFamily(f"{PREFIX}_jobs", "Jobs in the queue", labels=["state"])
            jobs.add_metric(["waiting"], state.waiting_jobs)
            jobs.add_metric(["failed"], state.failed_jobs)
            yield jobs

    def _projections(self, connection: Connection) -> Iterator[Metric]:
        names = self._kernel.registry.projections
        found = checkpoints.read(connection, names)
        head = self._kernel.store.head()
        now = datetime.now(UTC)
        families = {
            "position": "Last event taken in",
            "lag_events": "Committed events not yet taken in",
            "lag_seconds": "Age of the oldest event not yet taken in",
            "parked_events": "Events that could not be applied, and those behind them",
            "running": "1 unless paused, failed or being rebuilt",
        }
        made = {
            name: GaugeMetricFamily(f"{PREFIX}_projection_{name}", text, labels=["projection"])
            for name, text in families.items()
        }
        for name, each in found.items():
            lag = max(head - each.position, 0)
            oldest = self._kernel.store.recorded_after(each.position) if lag else None
            made["position"].add_metric([name], each.position)
            made["lag_events"].add_metric([name], lag)
            made["lag_seconds"].add_metric([name], (now - oldest).total_seconds() if oldest else 0)
            made["parked_events"].add_metric([name], each.parked)
            made["running"].add_metric([name], float(each.state == "running"))
        yield from made.values()


def _bus(connection: Connection, bus: str, plural: str) -> Iterator[Metric]:
    total = CounterMetricFamily(
        f"{PREFIX}_{plural}", f"{plural.capitalize()} by outcome", labels=["name", "outcome"]
    )
    times = HistogramMetricFamily(
        f"{PREFIX}_{bus}_duration_seconds", f"Time of {plural}", labels=["name"]
    )
    counts: dict[tuple[str, str], int] = {}
    buckets: dict[str, dict[float, int]] = {}
    sums: dict[str, float] = {}
    for name, result, bound, count, ms in connection.execute(totals(bus)):
        counts[name, result] = counts.get((name, result), 0) + int(count)
        held = buckets.setdefault(name, dict.fromkeys(BOUNDS, 0))
        held[bound] = held.get(bound, 0) + int(count)
        sums[name] = sums.get(name, 0.0) + ms / 1000
    for (name, result), count in sorted(counts.items()):
        total.add_metric([name, result], count)
    for name, held in sorted(buckets.items()):
        seen, steps = 0, []
        for bound, count in sorted(held.items()):
            seen += count
            steps.append(("+Inf" if bound == BOUNDS[-1] else f"{bound / 1000:g}", seen))
        times.add_metric([name], buckets=steps, sum_value=sums[name])
    yield total
    yield times


def exposition(kernel: Kernel, *others: Collector) -> bytes:
    """The text that a Prometheus server scrapes; `others` are the collectors of other areas."""
    registry = CollectorRegistry()
    for collector in (ConsoleCollector(kernel), *others):
        registry.register(collector)
    return generate_latest(registry)
