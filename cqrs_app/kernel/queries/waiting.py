"""Limits how many requests wait for a version at once: each blocks a thread of its process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

WAITS_PER_ACTOR = 2


class Waits:
    """Turns to wait: at most `most` at once in this process, and WAITS_PER_ACTOR of one actor."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def turn(self, actor: str) -> Iterator[bool]:
        """Whether this actor may wait now."""
        with self._lock:
            granted = self._waiting.total() < self._most and self._waiting[actor] < WAITS_PER_ACTOR
            self._waiting[actor] += granted
        try:
            yield granted
        finally:
            with self._lock:
                self._waiting[actor] -= granted
                if not self._waiting[actor]:
                    del self._waiting[actor]
