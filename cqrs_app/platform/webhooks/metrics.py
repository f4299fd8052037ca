"""The state of webhooks in the Prometheus format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Engine

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.webhooks.queries import ListDeliveries, list_deliveries

PREFIX = "countersign_webhook"


def webhook_metrics(write: Engine) -> Iterator[Metric]:
    """A family of metrics (see runtime/metrics.py), from the write store."""
    labels = ["webhook"]
    attempts = CounterMetricFamily(
        f"{PREFIX}_deliveries", "Events by outcome", labels=["webhook", "outcome"]
    )
    lag = GaugeMetricFamily(f"{PREFIX}_lag_events", "Events that wait to be sent", labels=labels)
    failing = GaugeMetricFamily(
        f"{PREFIX}_failing_seconds", "Time since the first of the failures", labels=labels
    )
    running = GaugeMetricFamily(f"{PREFIX}_running", "1 unless paused", labels=labels)
    with reader_of(write).connect() as connection:
        deliveries = list_deliveries(ListDeliveries(), connection)
    now = datetime.now(UTC)
    for each in deliveries:
        cursor, name = each.cursor, each.cursor.webhook_id
        if cursor.state == "removed":
            continue
        attempts.add_metric([name, "delivered"], cursor.delivered)
        attempts.add_metric([name, "failed"], cursor.failed)
        lag.add_metric([name], each.behind)
        since = cursor.failing_since
        failing.add_metric([name], (now - since).total_seconds() if since else 0)
        running.add_metric([name], float(cursor.state == "running"))
    yield from (attempts, lag, failing, running)
