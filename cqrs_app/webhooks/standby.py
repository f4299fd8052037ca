"""Delivers from threads of this process when no worker can: Redis is away, or none is running."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

logger = logging.getLogger("countersign.webhooks")

MOST_THREADS = 4


class Standby:
    """At most one thread per webhook and four in all; what finds none is tried at the next call."""

    def __init__(self, deliver: Callable[[str], object]) -> None:
        self._deliver = deliver
        self._threads: dict[str, threading.Thread] = {}

    def start(self, webhook_ids: Iterable[str]) -> None:
        """Begin with these, without waiting for any receiver."""
        self._threads = {name: each for name, each in self._threads.items() if each.is_alive()}
        for webhook_id in webhook_ids:
            if webhook_id in self._threads or len(self._threads) >= MOST_THREADS:
                continue
            # A daemon: a process that is told to stop does not wait for a receiver, and an
            # attempt that is cut off is made again.
            thread = threading.Thread(target=self._run, args=(webhook_id,), daemon=True)
            self._threads[webhook_id] = thread
            thread.start()

    def wait(self, seconds: float) -> None:
        """Until the threads begun so far have ended, or so long each."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _run(self, webhook_id: str) -> None:
        try:
            self._deliver(webhook_id)
        except Exception:
            logger.exception("webhook %s could not be delivered; it is tried again", webhook_id)
