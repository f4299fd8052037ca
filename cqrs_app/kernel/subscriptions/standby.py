"""Does a duty from threads of this process when no worker can: Redis is away, or none runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

logger = logging.getLogger("countersign")

MOST_THREADS = 4


class Standby:
    """At most one thread per name and four in all; what finds none is tried at the next call."""

    def __init__(self, what: str, work: Callable[[str], object]) -> None:
        self._what = what
        self._work = work
        self._threads: dict[str, threading.Thread] = {}

    def start(self, names: Iterable[str]) -> None:
        """Begin with these, without waiting for anyone outside."""
        self._threads = {name: each for name, each in self._threads.items() if each.is_alive()}
        for name in names:
            if name in self._threads or len(self._threads) >= MOST_THREADS:
                continue
            # A daemon: a process that is told to stop does not wait for anyone outside, and
            # what is cut off is done again.
            thread = threading.Thread(target=self._run, args=(name,), daemon=True)
            self._threads[name] = thread
            thread.start()

    def wait(self, seconds: float) -> None:
        """Until the threads begun so far have ended, or so long each."""
        for thread in self._threads.values():
            thread.join(seconds)

    def _run(self, name: str) -> None:
        try:
            self._work(name)
        except Exception:
            logger.exception("%s %s could not be seen to; it is tried again", self._what, name)
