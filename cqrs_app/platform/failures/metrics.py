"""Open failures in the Prometheus format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Engine

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.failures.queries import KINDS, open_by_kind


def failure_metrics(write: Engine) -> Iterator[Metric]:
    """A family of metrics (see runtime/metrics.py), from the write store."""
    found = GaugeMetricFamily("countersign_open_failures", "Failures by kind", labels=["kind"])
    with reader_of(write).connect() as connection:
        counts = open_by_kind(connection, datetime.now(UTC))
    for kind in KINDS:
        found.add_metric([kind], counts.get(kind, 0))
    yield found
