"""How signals stop the console: the first one gracefully, the second one at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


class StopRequested(BaseException):
    """The console was asked to stop. A BaseException, so that `except Exception` does not catch
    it."""


class StopSwitch:
    """Raises StopRequested on the first SIGINT, SIGTERM or SIGHUP; calls `hurry` on later ones."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self._stopping = self._hurried = False
        signal.signal(signal.SIGINT, self._received)
        signal.signal(signal.SIGTERM, self._received)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # ignored under nohup
            signal.signal(signal.SIGHUP, self._received)

    def stopping(self) -> None:
        """The caller is stopping: from now on nothing is raised."""
        self._stopping = True

    def going_on(self) -> None:
        """The caller has stopped, and goes on. Raises StopRequested if it was told not to."""
        self._stopping = False
        if self._hurried:
            raise StopRequested

    def _received(self, signum: int, frame: FrameType | None) -> None:
        if self._stopping:
            self._hurried = True
            self._hurry()
            return
        self._stopping = True
        raise StopRequested
