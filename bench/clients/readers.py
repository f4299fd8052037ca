"""A reader that loads pages continuously, in a thread of the bench."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from bench.clients.browser import Browser

PAUSE_SECONDS = 0.3
"""Between two pages of the same reader."""


class Reader:
    """Loads Home, the order list and an order in turn; `order` returns the id of one that
    exists."""

    def __init__(self, browser: Browser, order: Callable[[], str]) -> None:
        self._browser = browser
        self._order = order
        self._durations: list[float] = []
        self._over = threading.Event()
        self._work: Future[None] | None = None

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Raises at the end what the thread raised: a page that fails is not a slow page."""
        with ThreadPoolExecutor(1, thread_name_prefix="reader") as pool:
            self._work = pool.submit(self._read)
            try:
                yield self
            finally:
                self._over.set()
            self._work.result()

    def drained(self) -> list[float]:
        """The durations of the pages since the last call, in ms. Raises what the thread raised."""
        if self._work is not None and self._work.done():
            self._work.result()
        found, self._durations = self._durations, []
        return found

    def _read(self) -> None:
        for page in itertools.cycle(("/", "/orders", "an order")):
            if self._over.wait(PAUSE_SECONDS):
                return
            path = page if page.startswith("/") else f"/orders/{self._order()}"
            started = time.perf_counter()
            reply = self._browser.get(path)
            assert reply.status == 200, f"{path} answered {reply.status}"
            self._durations.append((time.perf_counter() - started) * 1000)
