"""Brings deliveries about: through jobs as a rule, from threads where jobs cannot be relied on."""

from __future__ import annotations

import time

from cqrs_app.kernel import presence
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.databases import reader_of
from cqrs_app.kernel.doorbell import answered
from cqrs_app.webhooks.delivery import Deliverer
from cqrs_app.webhooks.due import due
from cqrs_app.webhooks.standby import Standby
from cqrs_app.webhooks.wake_ups import consumer_of, ring

WORKER = "webhook worker"
"""The kind of process that answers the jobs, as it reports itself."""


class Dispatcher:
    """One per application; opens no connection until it is asked to do something."""

    def __init__(self, kernel: Kernel, deliverer: Deliverer) -> None:
        self._kernel = kernel
        self._deliverer = deliverer
        self._standby = Standby(deliverer.deliver)
        self._due_since: dict[str, float] = {}

    def wake(self) -> None:
        """Wake a worker for each webhook with something to do. A wake-up that Redis does not take
        is made up for by `look_after`."""
        ring(self._kernel.redis, due(self._kernel))

    def answer(self, webhook_id: str) -> None:
        """Answer a wake-up: deliver, and queue up again where there is more than fits one turn."""
        # Cleared before the log is read: a commit from now on rings again.
        answered(self._kernel.redis, consumer_of(webhook_id))
        if self._deliverer.deliver(webhook_id):
            ring(self._kernel.redis, [webhook_id])

    def look_after(self, patience: float) -> None:
        """See to webhooks that have been due for `patience` seconds; waits for no receiver."""
        now = time.monotonic()
        self._due_since = {name: self._due_since.get(name, now) for name in due(self._kernel)}
        late = [name for name, since in self._due_since.items() if now - since >= patience]
        if late and not (self._has_workers() and ring(self._kernel.redis, late)):
            self._standby.start(late)

    def wait(self, seconds: float) -> None:
        """Until deliveries begun by `look_after` in this process are done, or so long each."""
        self._standby.wait(seconds)

    def _has_workers(self) -> bool:
        with reader_of(self._kernel.engines.write).connect() as connection:
            seen = presence.seen(connection, self._kernel.clock())
        return any(each.alive and each.kind == WORKER for each in seen)
