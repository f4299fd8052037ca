"""A token for polls, like an ETag: it changes whenever an answer may have changed, and costs less
than the answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from sqlalchemy import Engine

from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.subscriptions.cursors import cursors_in

HELD_SECONDS = 0.05
"""How long a token is reused, so that a hundred open pages read the databases once."""


class ChangeToken:
    """The state of projections and log, as a text to be compared with an earlier one."""

    def __init__(
        self, read: Engine, store: EventStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._store = store
        self._clock = clock
        self._held: dict[tuple[str, ...], tuple[float, str]] = {}

    def of(self, *projections: str) -> str:
        """A text that changes with any event, parking, rebuild or change of state.

        It may be HELD_SECONDS old. Read it before the answer that it is to represent.
        """
        now = self._clock()
        found = self._held.get(projections)
        if found and now - found[0] < HELD_SECONDS:
            return found[1]
        text = self._look(projections)
        # The time before the databases were read: the token may lack what came later.
        self._held[projections] = (now, text)
        return text

    def _look(self, projections: tuple[str, ...]) -> str:
        found = sorted(cursors_in("read").reached(self._read, projections), key=str)
        state = repr((found, self._store.head()))
        return hashlib.sha256(state.encode()).hexdigest()[:20]
