"""Computes the answers to hot questions again after their projections have advanced.

Whoever asks next then finds them in the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from cqrs_app.kernel.subscriptions.background import Background


class WriteThrough:
    """One per process. `refresh` is called in a thread, at most every `seconds`, with the
    projections that have advanced since; never if `seconds` is 0."""

    def __init__(self, refresh: Callable[[Collection[str]], None], seconds: float) -> None:
        self._refresh = refresh
        self._enabled = seconds > 0
        self._lock = threading.Lock()
        self._advanced: set[str] = set()
        self._background = Background("write-through", self._flush, seconds)

    def advanced(self, projection: str) -> None:
        """Returns at once."""
        if not self._enabled:
            return
        with self._lock:
            self._advanced.add(projection)
        self._background.nudge()

    def close(self) -> None:
        self._background.close()

    def _flush(self) -> None:
        with self._lock:
            projections, self._advanced = self._advanced, set()
        self._refresh(projections)
