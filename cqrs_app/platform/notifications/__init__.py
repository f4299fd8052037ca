"""Notifications: what concerns an operator, from the log; in the console and by e-mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.notifications.subscription import NotifyOperators


def notifications_area(
    zone: ZoneInfo, labels: Mapping[str, str], tasks: Sequence[BackgroundTask] = ()
) -> Area:
    """The area. A daily mail is sent in the morning of `zone`, or of the operator's own. `labels`
    are those of the actions that can be requested, by command."""
    return Area(
        name="notifications",
        subscriptions=[NotifyOperators(zone, labels)],
        tasks=tasks,
    )
