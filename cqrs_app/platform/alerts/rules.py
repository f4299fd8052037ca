"""The rules: from which value and after how long a problem becomes an alert. Pure.

The defaults are here. An administrator changes them with `ChangeAlertRule`. Names of problems are
those of `runtime/problems.py` and of `sources.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from cqrs_app import plugins
from cqrs_app.platform.runtime.problems import WAITS_TOO_LONG

Severity = Literal["critical", "warning"]
Unit = Literal["", "count", "seconds", "percent", "days"]
"""Of a value; empty where the problem is there or not."""

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A problem becomes an alert once its value has been at `raise_at` or beyond for
    `pending_seconds`. The alert ends once the value is back below `clear_at`; with `falls`, less is
    worse, and it ends above. `runbook` is a heading of docs/operating.md, empty for an alert of
    another package; `prometheus` the same alert in docs/monitoring/alerts.yml."""

    name: str
    title: str
    unit: Unit = ""
    raise_at: int = 1
    clear_at: int = 1
    pending_seconds: int
    severity: Severity = "warning"
    runbook: str = ""
    prometheus: str = ""
    falls: bool = False
    enabled: bool = True
    owner: str = ""
    silenced_until: datetime | None = None

    def begins(self, value: float) -> bool:
        """Whether this value can raise an alert."""
        return value <= self.raise_at if self.falls else value >= self.raise_at

    def lasts(self, value: float) -> bool:
        """Whether this value keeps an alert that is raised."""
        return value <= self.clear_at if self.falls else value >= self.clear_at


LAG = "Lag: `countersign_projection_lag_seconds > 60`"
DATABASE = 'Database away: `countersign_up{part="write_store"} == 0` or `read_store`'
WORKER = 'Worker gone: `countersign_processes{kind="worker"} == 0`'
WEBHOOK = (
    "A webhook fails or is paused: `countersign_webhook_failing_seconds > 3600`, `_running == 0`"
)
FAILURES = "Failures"
WAITING = "Orders wait too long"
SIGNATURES = 'Second signatures overdue: `countersign_approval_requests{state="overdue"} > 0`'
AUDIT = "Security events or seals are not sent"
OVERRIDE = "An approval was overridden"

_ALL = (
    Rule(
        name="read_store_down",
        title="Read store down",
        pending_seconds=MINUTE,
        severity="critical",
        runbook=DATABASE,
        prometheus="CountersignReadStoreDown",
    ),
    Rule(
        name="redis_down",
        title="Redis down",
        pending_seconds=5 * MINUTE,
        runbook='Redis away: `countersign_up{part="redis"} == 0`',
        prometheus="CountersignRedisDown",
    ),
    Rule(
        name="no_worker",
        title="No worker",
        pending_seconds=5 * MINUTE,
        runbook=WORKER,
        prometheus="CountersignNoWorker",
    ),
    Rule(
        name="no_sweep",
        title="No sweep",
        pending_seconds=5 * MINUTE,
        runbook='Sweep gone: `countersign_processes{kind="sweep"} == 0`',
        prometheus="CountersignNoSweep",
    ),
    Rule(
        name="behind",
        title="Lag of a subscription",
        unit="seconds",
        raise_at=60,
        clear_at=5,
        pending_seconds=2 * MINUTE,
        runbook=LAG,
        prometheus="CountersignLag",
    ),
    Rule(
        name="stopped",
        title="A subscription has stopped",
        pending_seconds=15 * MINUTE,
        runbook=LAG,
        prometheus="CountersignStopped",
    ),
    Rule(
        name="paused",
        title="A subscription is paused",
        pending_seconds=15 * MINUTE,
        runbook=LAG,
        prometheus="CountersignStopped",
    ),
    Rule(
        name="parked",
        title="Parked events",
        unit="count",
        pending_seconds=MINUTE,
        runbook="Parked events: `countersign_projection_parked_events > 0`",
        prometheus="CountersignParkedEvents",
    ),
    Rule(
        name="failed_actions",
        title="Failed actions in the last hour",
        unit="count",
        pending_seconds=0,
        runbook='Failed commands: `countersign_commands_total{outcome="failed"}` rises',
        prometheus="CountersignFailedCommands",
    ),
    Rule(
        name="failed_queries",
        title="Failed queries",
        unit="percent",
        raise_at=5,
        clear_at=2,
        pending_seconds=5 * MINUTE,
        runbook=FAILURES,
        prometheus="CountersignFailedQueries",
    ),
    Rule(
        name="failed_requests",
        title="Failed requests",
        unit="percent",
        raise_at=5,
        clear_at=2,
        pending_seconds=5 * MINUTE,
        severity="critical",
        runbook=FAILURES,
        prometheus="CountersignFailedRequests",
    ),
    Rule(
        name="open_failures",
        title="Open failures",
        unit="count",
        pending_seconds=HOUR,
        runbook=FAILURES,
        prometheus="CountersignOpenFailures",
    ),
    Rule(
        name="queued_actions",
        title="Queued actions wait",
        unit="seconds",
        raise_at=int(WAITS_TOO_LONG.total_seconds()),
        clear_at=10,
        pending_seconds=5 * MINUTE,
        severity="critical",
        runbook=WORKER,
        prometheus="CountersignQueueWaits",
    ),
    Rule(
        name="drift",
        title="Rows differ from the log",
        unit="count",
        pending_seconds=0,
        severity="critical",
        runbook="Rows differ from the log",
        prometheus="CountersignDrift",
    ),
    Rule(
        name="not_reconciled",
        title="Rows were not compared with the log",
        unit="seconds",
        raise_at=2 * DAY,
        clear_at=2 * DAY,
        pending_seconds=HOUR,
        runbook="Rows differ from the log",
        prometheus="CountersignNotReconciled",
    ),
    Rule(
        name="webhook_failing",
        title="A webhook fails",
        unit="seconds",
        raise_at=HOUR,
        clear_at=1,
        pending_seconds=0,
        runbook=WEBHOOK,
        prometheus="CountersignWebhookFailing",
    ),
    Rule(
        name="webhook_paused",
        title="A webhook is paused",
        pending_seconds=HOUR,
        runbook=WEBHOOK,
        prometheus="CountersignWebhookPaused",
    ),
    Rule(
        name="audit_not_sent",
        title="Security events or seals are not sent",
        pending_seconds=15 * MINUTE,
        runbook=AUDIT,
    ),
    Rule(
        name="disk",
        title="Disk space used",
        unit="percent",
        raise_at=90,
        clear_at=85,
        pending_seconds=5 * MINUTE,
        severity="critical",
        runbook="The disk fills up",
    ),
    Rule(
        name="certificate",
        title="A certificate expires",
        unit="days",
        raise_at=14,
        clear_at=14,
        falls=True,
        pending_seconds=0,
        runbook="A certificate expires",
    ),
    Rule(
        name="signatures_overdue",
        title="Second signatures overdue",
        unit="count",
        pending_seconds=15 * MINUTE,
        runbook=SIGNATURES,
        prometheus="CountersignSignaturesOverdue",
    ),
    Rule(
        name="stuck_orders",
        title="Orders that need a decision",
        unit="count",
        pending_seconds=15 * MINUTE,
        runbook=WAITING,
    ),
    Rule(
        name="oldest_order",
        title="The oldest order of a stage waits",
        unit="seconds",
        raise_at=7 * DAY,
        clear_at=7 * DAY,
        pending_seconds=15 * MINUTE,
        runbook=WAITING,
    ),
    Rule(
        name="override",
        title="An approval was overridden",
        pending_seconds=0,
        severity="critical",
        runbook=OVERRIDE,
    ),
    Rule(
        name="override_overdue",
        title="The review of an override is overdue",
        unit="seconds",
        pending_seconds=0,
        severity="critical",
        runbook=OVERRIDE,
    ),
)

_OF_PLUGINS = (
    Rule(
        name=each.name,
        title=each.title,
        unit=each.unit,
        raise_at=each.raise_at,
        clear_at=each.raise_at,
        pending_seconds=each.pending_seconds,
        severity=each.severity,
    )
    for plugin in plugins.installed()
    for each in plugin.alerts
)
RULES = MappingProxyType({each.name: each for each in (*_ALL, *_OF_PLUGINS)})
"""Name -> the rule by default."""
