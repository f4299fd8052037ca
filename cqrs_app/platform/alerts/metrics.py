"""Alerts in the Prometheus format."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Engine, func, select

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.alerts.queries import rules_in
from cqrs_app.platform.alerts.tables import alerts


def alert_metrics(write: Engine) -> Iterator[Metric]:
    """A family of metrics (see runtime/metrics.py), from the write store."""
    on = alerts.c.state != "resolved"
    counted = select(alerts.c.rule, alerts.c.severity, func.count())
    counted = counted.where(on).group_by(alerts.c.rule, alerts.c.severity)
    with reader_of(write).connect() as connection:
        counts = {(rule.name, rule.severity): 0 for rule in rules_in(connection).values()}
        counts |= {(rule, severity): n for rule, severity, n in connection.execute(counted)}
    made = GaugeMetricFamily(
        "countersign_alerts", "Alerts raised or acknowledged", labels=["rule", "severity"]
    )
    for labels, count in sorted(counts.items()):
        made.add_metric(labels, count)
    yield made
