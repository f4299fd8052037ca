"""Does a task in threads of this process when no worker can: Redis is away, or none runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

MOST_THREADS = 4


class FallbackThreads:
    """At most one thread per key and four in all; what finds none is tried at the next call."""

    def __init__(self, task: str, work: Callable[[str], object]) -> None:
        self._task = task
        self._work = work
        self._threads: dict[str, threading.Thread] = {}

    def start(self, keys: Iterable[str]) -> None:
        """Begin with these, without waiting for anyone outside."""
        self._threads = {key: each for key, each in self._threads.items() if each.is_alive()}
        for key in keys:
            if key in self._threads or len(self._threads) >= MOST_THREADS:
                continue
            # A daemon: a process that is told to stop does not wait for anyone outside, and
            # what is cut off is done again.
            thread = threading.Thread(target=self._run, args=(key,), daemon=True)
            self._threads[key] = thread
            thread.start()

    def wait(self, seconds: float) -> None:
        """Until the threads begun so far have ended, or so long each."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _run(self, key: str) -> None:
        try:
            self._work(key)
        except Exception:
            logger.exception("%s %s failed; it is tried again", self._task, key)
