"""What is watched for the areas of other packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cqrs_app import plugins
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts.sources import Source
from cqrs_app.platform.runtime.problems import Problem
from cqrs_app.plugins import AlertRule


def _measured(rule: AlertRule, kernel: Kernel) -> Iterator[Problem]:
    with kernel.engines.query.connect() as connection:
        alarms = list(rule.measure(connection, kernel.clock()))
    for each in alarms:
        yield Problem(
            kind=rule.name,
            subject=each.subject,
            level="bad" if rule.severity == "critical" else "warn",
            title=each.title,
            cost=each.cost,
            since=each.since,
            remedy=each.remedy,
            value=each.value,
            limit=rule.raise_at,
        )


PLUGGED = tuple(
    Source(frozenset({rule.name}), partial(_measured, rule))
    for plugin in plugins.installed()
    for rule in plugin.alerts
)
