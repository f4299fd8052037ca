"""Whether anything can have changed at all: cheaper to know than what."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from sqlalchemy import Engine

from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.subscriptions.cursors import cursors_in

HELD_SECONDS = 0.05
"""All who ask within this time are told the same: a hundred open pages ask the databases once."""


class ChangeToken:
    """Where projections and the log stand, as a text to be compared with one from earlier."""

    def __init__(
        self, read: Engine, store: EventStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._store = store
        self._clock = clock
        self._held: dict[tuple[str, ...], tuple[float, str]] = {}

    def of(self, *projections: str) -> str:
        """A text that is another one after any event, parking, rebuild or change of state.

        It was true at most HELD_SECONDS ago. Read it before the answer it is to stand for.
        """
        now = self._clock()
        found = self._held.get(projections)
        if found and now - found[0] < HELD_SECONDS:
            return found[1]
        text = self._look(projections)
        # The moment before the databases were asked: what came later may not be in it.
        self._held[projections] = (now, text)
        return text

    def _look(self, projections: tuple[str, ...]) -> str:
        found = sorted(cursors_in("read").reached(self._read, projections), key=str)
        told = repr((found, self._store.head()))
        return hashlib.sha256(told.encode()).hexdigest()[:20]
