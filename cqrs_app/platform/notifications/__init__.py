"""Notifications: what concerns an operator, from the log; in the console and by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.notifications.inbox import Inbox
from cqrs_app.platform.notifications.subscription import NotifyOperators


class ForgetNotifications(BackgroundTask):
    """Deletes old notifications."""

    name: ClassVar[str] = "notifications"
    sends_commands: ClassVar[bool] = False

    def due(self, kernel: Any) -> list[str]:
        return []

    def work(self, kernel: Any, key: str) -> bool:
        return False

    def housekeep(self, kernel: Any) -> None:
        Inbox(kernel.engines.write, kernel.clock).forget_old()


def notifications_area(zone: ZoneInfo, tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area. A daily mail is sent in the morning of `zone`, or of the operator's own."""
    return Area(
        name="notifications",
        subscriptions=[NotifyOperators(zone)],
        tasks=[ForgetNotifications(), *tasks],
    )
