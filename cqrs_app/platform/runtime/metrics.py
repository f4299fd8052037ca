"""The console's state in the Prometheus format, read from the stores, so that every process reports
the same.

A family of metrics is a function that yields them. One that cannot be collected because its store
does not answer is left out of the page and named by `countersign_family_failed`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.middleware import OUTCOMES
from cqrs_app.kernel.queries.bus import results_of
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.platform.runtime import counted_metrics as counted
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.counted_metrics import PREFIX, Family
from cqrs_app.platform.runtime.health import Health
from cqrs_app.platform.runtime.sampled_metrics import sampled_metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ConsoleCollector(Collector):
    """Collects on demand and stores nothing. `others` are families of other areas, all read from
    the write store."""

    kernel: Kernel
    others: Mapping[str, Family]

    def collect(self) -> Iterator[Metric]:
        state = health.look(self.kernel)
        yield from _parts(state)
        failed = GaugeMetricFamily(
            f"{PREFIX}_family_failed", "1 where these metrics are left out", labels=["family"]
        )
        # Their metrics are those of subscriptions: only the rows of projections are missing then.
        readable = state.write_store and state.read_store
        failed.add_metric(["projections"], float(not readable))
        for name, family in self._families(state).items():
            found = _collected(name, family) if state.write_store else None
            failed.add_metric([name], float(found is None))
            yield from found or ()
        reconciled = partial(_reconciliation, self.kernel)
        found = _collected("reconciliation", reconciled) if state.read_store else None
        failed.add_metric(["reconciliation"], float(found is None))
        yield from found or ()
        yield failed

    def _families(self, state: Health) -> dict[str, Family]:
        """Name -> family. All read the write store."""
        kernel, registry = self.kernel, self.kernel.registry
        stores: tuple[Store, ...] = ("read", "write") if state.read_store else ("write",)
        commands = dict.fromkeys(registry.commands, OUTCOMES)
        queries = {cls.__name__: results_of(cls) for cls in registry.answers}
        write = kernel.engines.write
        return {
            "processes": partial(_processes, kernel),
            "subscriptions": partial(_subscriptions, kernel, stores),
            "commands": partial(counted.commands, write, commands),
            "queries": partial(counted.queries, write, queries),
            "requests": partial(counted.requests, write),
            "jobs": partial(counted.jobs, write),
            "updates": partial(counted.updates, write),
            "samples": partial(sampled_metrics, write, kernel.clock),
            **self.others,
        }


def _collected(name: str, family: Family) -> list[Metric] | None:
    try:
        return list(family())
    except Exception:
        # Any failure: the other families are still useful.
        logger.exception("the metrics of %s cannot be collected", name)
        return None


def _parts(state: Health) -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{PREFIX}_up", "1 where the part works", labels=["part"])
    for part in ("write_store", "read_store", "redis"):
        up.add_metric([part], float(getattr(state, part)))
    yield up
    jobs = GaugeMetricFamily(f"{PREFIX}_jobs", "Jobs in the queue", labels=["state"])
    if state.waiting_jobs is not None and state.failed_jobs is not None:
        jobs.add_metric(["waiting"], state.waiting_jobs)
        jobs.add_metric(["failed"], state.failed_jobs)
    yield jobs


def _processes(kernel: Kernel) -> Iterator[Metric]:
    with reader_of(kernel.engines.write).connect() as connection:
        seen = presence.seen(connection, kernel.clock())
    alive = GaugeMetricFamily(f"{PREFIX}_processes", "Processes alive", labels=["kind"])
    kinds = [*kernel.registry.workers(), presence.SWEEP]
    counts = dict.fromkeys(kinds, 0)
    for each in seen:
        counts[each.kind] = counts.get(each.kind, 0) + each.alive
    for kind, count in counts.items():
        alive.add_metric([kind], count)
    yield alive


def _subscriptions(kernel: Kernel, stores: tuple[Store, ...]) -> Iterator[Metric]:
    found = kernel.runner.cursors(*stores)
    head = kernel.store.head()
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
        oldest = kernel.store.recorded_after(each.position) if lag else None
        made["position"].add_metric([name], each.position)
        made["lag_events"].add_metric([name], lag)
        made["lag_seconds"].add_metric([name], (now - oldest).total_seconds() if oldest else 0)
        made["parked_events"].add_metric([name], each.parked)
        made["running"].add_metric([name], float(each.state == "running"))
    events = CounterMetricFamily(f"{PREFIX}_events", "Committed events")
    events.add_metric([], head)
    yield from (*made.values(), events)


def _reconciliation(kernel: Kernel) -> Iterator[Metric]:
    families = {
        "rows": "Rows compared with their digest",
        "drift": "1 where rows differ from their digest or their events",
        "differences": "Rows that differ from their events",
        "compared_timestamp_seconds": "When rows were last compared with their digest",
        "proven_timestamp_seconds": "When rows were last compared with their events",
    }
    made = {
        name: GaugeMetricFamily(f"{PREFIX}_reconciliation_{name}", text, labels=["projection"])
        for name, text in families.items()
    }
    for name, each in kernel.reconciler.records().items():
        made["rows"].add_metric([name], each.rows)
        made["drift"].add_metric([name], float(each.has_drift))
        made["differences"].add_metric([name], each.differences)
        for family, at in (("compared", each.compared_at), ("proven", each.proven_at)):
            if at is not None:
                made[f"{family}_timestamp_seconds"].add_metric([name], at.timestamp())
    yield from made.values()


def exposition(kernel: Kernel, others: Mapping[str, Family]) -> bytes:
    """The text that a Prometheus server scrapes; `others` are the families of other areas, by
    name."""
    registry = CollectorRegistry()
    registry.register(ConsoleCollector(kernel, others))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True)
class DescribedMetric:
    """`name` is what is scraped; of a histogram, without the endings of its three series."""

    name: str
    type: str
    labels: tuple[str, ...]
    text: str


def described(kernel: Kernel, others: Mapping[str, Family]) -> list[DescribedMetric]:
    """Every metric, by name. The stores must be there, and may be empty."""
    return sorted(
        (
            DescribedMetric(
                name=f"{each.name}_total" if each.type == "counter" else each.name,
                type=each.type,
                labels=each._labelnames,  # type: ignore[attr-defined]  # nothing else says it
                text=each.documentation,
            )
            for each in ConsoleCollector(kernel, others).collect()
        ),
        key=lambda each: each.name,
    )
