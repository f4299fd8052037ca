"""A thread for small chores, so that no request waits for them."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable

from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE

logger = logging.getLogger(__name__)


class Background:
    """Runs `chore` soon after `nudge`, at most every `pause` seconds, in one thread per process. A
    chore may change its pause.

    The thread starts with the first nudge, so that a forked process starts its own. A chore that
    raises is logged and tried again at the next nudge. A pending chore is run once more at exit.
    """

    def __init__(self, name: str, chore: Callable[[], None], pause: float = 0.0) -> None:
        self._name = name
        self._chore = chore
        self.pause = pause
        self._nudged = threading.Event()
        self._stopped = threading.Event()
        self._pid: int | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._working = threading.Lock()

    def nudge(self) -> None:
        if self._pid != os.getpid():
            self._start()
        if not self._nudged.is_set():
            self._nudged.set()

    def run_now(self) -> None:
        """Run the chore in the caller's thread, after one that is already running."""
        with self._working:
            self._nudged.clear()
            try:
                self._chore()
            except DATABASE_TROUBLE as error:
                # A traceback would say no more, and every process writes one in an outage.
                reason = str(error).partition("\n")[0]
                logger.warning("%s could not do its work; it tries again: %s", self._name, reason)
            except Exception:
                logger.exception("%s could not do its work; it tries again", self._name)

    def close(self) -> None:
        """Run the chore if it is pending, and end the thread."""
        if self._pid != os.getpid() or self._thread is None:
            return
        atexit.unregister(self.close)
        waiting = self._nudged.is_set()
        self._stopped.set()
        self._nudged.set()
        self._thread.join()
        if waiting:
            # A nudge by the chore itself starts no thread: this one still counts as running.
            self.run_now()
        self._pid = self._thread = None

    def _start(self) -> None:
        with self._starting:
            if self._pid == os.getpid():
                return
            if self._pid is not None:
                # If the parent held this lock while forking, it would stay locked here.
                self._working = threading.Lock()
            self._pid = os.getpid()
            self._nudged, self._stopped = threading.Event(), threading.Event()
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _loop(self) -> None:
        while True:
            self._nudged.wait()
            if self._stopped.is_set():
                return
            self.run_now()
            # The nudge may have come from `close`.
            if self._stopped.wait(self.pause):
                return
