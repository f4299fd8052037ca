"""Following the orders as a background task, done by the workers of the projections."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cqrs_app.areas.fulfilment.follower import Follower
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask


class FollowOrders(BackgroundTask):
    """There is one key, see follower.NAME."""

    name: ClassVar[str] = "fulfilment"

    def __init__(self, follower_of: Callable[[Kernel], Follower]) -> None:
        self._follower_of = follower_of

    def due(self, kernel: Kernel) -> list[str]:
        return self._follower_of(kernel).due()

    def work(self, kernel: Kernel, key: str) -> bool:
        return self._follower_of(kernel).go_on(key)
