"""Notifications inside the console: what concerns an operator, from the log."""

from __future__ import annotations

from typing import Any, ClassVar

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


NOTIFICATIONS = Area(
    name="notifications", subscriptions=[NotifyOperators()], tasks=[ForgetNotifications()]
)
