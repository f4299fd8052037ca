"""Runs a task in threads of this process when no worker can: Redis is down, or no worker runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

MOST_THREADS = 4


class FallbackThreads:
    """At most one thread per key and four in all. Keys that get none are tried at the next call."""

    def __init__(self, task: str, work: Callable[[str], object]) -> None:
        self._task = task
        self._work = work
        self._threads: dict[str, threading.Thread] = {}

    def start(self, keys: Iterable[str]) -> None:
        """Start work on these keys; returns at once."""
        self._threads = {key: each for key, each in self._threads.items() if each.is_alive()}
        for key in keys:
            if key in self._threads or len(self._threads) >= MOST_THREADS:
                continue
            # A daemon thread: a process that is stopped does not wait for external systems, and
            # interrupted work is done again.
            thread = threading.Thread(target=self._run, args=(key,), daemon=True)
            self._threads[key] = thread
            thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the threads started so far, up to `seconds` per thread."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _run(self, key: str) -> None:
        try:
            self._work(key)
        except Exception:
            logger.exception("%s %s failed; it is tried again", self._task, key)
