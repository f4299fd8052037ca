"""A thread that does small chores after the fact, off the path of whoever asks."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Background:
    """Runs `chore` soon after `nudge`, at most every `pause` seconds, in one thread per process;
    a chore may change its pause.

    The thread starts with the first nudge, so a process that forks afterwards gets its own. A
    chore that raises is logged and tried at the next nudge. What waits is done once more at exit.
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
        """Do the chore in the caller's thread; one that is being done is waited for first."""
        with self._working:
            self._nudged.clear()
            try:
                self._chore()
            except Exception:
                logger.exception("%s could not do its work; it tries again", self._name)

    def close(self) -> None:
        """Do what still waits, and end the thread."""
        if self._pid != os.getpid() or self._thread is None:
            return
        atexit.unregister(self.close)
        waiting = self._nudged.is_set()
        self._stopped.set()
        self._nudged.set()
        self._thread.join()
        self._pid = self._thread = None
        if waiting:
            self.run_now()

    def _start(self) -> None:
        with self._starting:
            if self._pid == os.getpid():
                return
            if self._pid is not None:
                # Held in the process it was forked from, this lock would stay held here.
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
            # What stopped it may have been taken for a nudge.
            if self._stopped.wait(self.pause):
                return
