"""Runs a background task in threads of this process, one per key."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class TaskThreads:
    """At most one thread per key and `most` in all.

    They are daemon threads: another process repeats work that is interrupted when this one ends.
    """

    def __init__(self, task: str, work: Callable[[str], object], most: int) -> None:
        self._task = task
        self._work = work
        self._most = most
        self._changed = threading.Condition()
        self._threads: dict[str, threading.Thread] = {}
        self._again: set[str] = set()

    def start(self, key: str, *, wait: bool) -> None:
        """Work on this key, or once more if work on it is running. If all threads are busy, wait
        for one or do nothing."""
        with self._changed:
            if key in self._threads:
                self._again.add(key)
                return
            if wait:
                self._changed.wait_for(lambda: len(self._threads) < self._most)
            elif len(self._threads) >= self._most:
                return
            thread = threading.Thread(target=self._run, args=(key,), daemon=True)
            self._threads[key] = thread
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the work started so far, up to `seconds` in total."""
        deadline = time.monotonic() + seconds
        with self._changed:
            begun = list(self._threads.values())
        for thread in begun:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, key: str) -> None:
        while True:
            try:
                self._work(key)
            except Exception:
                logger.exception("%s %s failed; it is tried again", self._task, key)
            with self._changed:
                if key not in self._again:
                    del self._threads[key]
                    self._changed.notify()
                    return
                self._again.remove(key)
