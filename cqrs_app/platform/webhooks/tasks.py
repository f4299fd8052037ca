"""Webhook deliveries as a background task."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.webhooks import deliveries
from cqrs_app.platform.webhooks.delivery import Deliverer
from cqrs_app.platform.webhooks.keyring import Keyring


class Deliveries(BackgroundTask):
    """Sends each webhook what is due. The key is the id of a webhook."""

    name: ClassVar[str] = "webhooks"
    worker: ClassVar[str] = "webhook worker"
    at_once: ClassVar[int] = 16
    sends_commands: ClassVar[bool] = False

    def __init__(self, deliverer_of: Callable[[Kernel], Deliverer]) -> None:
        self._deliverer_of = deliverer_of

    def due(self, kernel: Kernel) -> list[str]:
        with reader_of(kernel.engines.write).connect() as connection:
            return deliveries.due(connection, kernel.clock())

    def work(self, kernel: Kernel, key: str) -> bool:
        return self._deliverer_of(kernel).deliver(key)

    def housekeep(self, kernel: Kernel) -> None:
        with kernel.engines.write.begin() as connection:
            Keyring(kernel.vault).seal_earlier(connection)
