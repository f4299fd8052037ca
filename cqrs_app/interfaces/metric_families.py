"""The metrics that areas add to those of commands, queries and processes."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Engine

from cqrs_app.platform.alerts.metrics import alert_metrics
from cqrs_app.platform.approvals.overdue import approval_metrics
from cqrs_app.platform.failures.metrics import failure_metrics
from cqrs_app.platform.runtime.counted_metrics import Family
from cqrs_app.platform.webhooks.metrics import webhook_metrics


def metric_families(write: Engine) -> dict[str, Family]:
    """Area -> its family, which reads this write store."""
    return {
        "webhooks": partial(webhook_metrics, write),
        "failures": partial(failure_metrics, write),
        "alerts": partial(alert_metrics, write),
        "approvals": partial(approval_metrics, write),
    }
