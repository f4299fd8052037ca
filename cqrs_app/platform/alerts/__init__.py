"""Alerts: problems that last are raised, sent to whoever is on call, acknowledged and resolved."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts import events, queries
from cqrs_app.platform.alerts.alert import Alert, AlertRule, only_until_later
from cqrs_app.platform.alerts.subscription import Alerts


def alerts_area(channels: Sequence[str] = (), tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area; `channels` are the names of those that notices go to."""
    return Area(
        name="alerts",
        aggregates=[Alert, AlertRule],
        events=events,
        subscriptions=[Alerts(channels)],
        tasks=tasks,
        answers={
            queries.ListAlerts: projected(queries.list_alerts),
            queries.CountAlerts: projected(queries.count_alerts),
            queries.ListPendingAlerts: projected(queries.list_pending_alerts),
            queries.GetAlert: projected(queries.get_alert),
            queries.ListNotices: projected(queries.list_notices),
            queries.ListAlertRules: projected(queries.list_alert_rules),
            queries.ListAlertTasks: projected(queries.list_alert_tasks),
        },
        middleware=[only_until_later],
    )
