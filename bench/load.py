"""Client processes that send commands through the bus, as fast as they are told to."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import Any

from bench import product
from cqrs_app import create_app
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.settings import Settings
from tests.console import close

ORDERS = 20
"""Of each client, its notes going round them."""
FULL_SPEED = 1e9

_spawn = get_context("spawn")


class Load:
    """`pace` is how many commands a second all of them send together; none at first."""

    def __init__(self, settings: Settings, count: int) -> None:
        self.settings = settings
        self.count = count
        self.durations: Queue[float] = _spawn.Queue()
        """Of commands, in ms, since it was last emptied."""
        self.sent = _spawn.Value("q", 0)
        self._pace = _spawn.Value("d", 0.0)
        self._ready = _spawn.Barrier(count + 1)
        self._processes = [
            _spawn.Process(target=_run, args=(self._shared(), number), daemon=True)
            for number in range(count)
        ]

    def _shared(self) -> tuple[Any, ...]:
        return self.settings, self._pace, self.count, self.sent, self.durations, self._ready

    @contextmanager
    def running(self) -> Iterator[Load]:
        for process in self._processes:
            process.start()
        try:
            self._ready.wait(60)
            yield self
        finally:
            for process in self._processes:
                process.terminate()
                process.join()

    @contextmanager
    def at(self, pace: float) -> Iterator[None]:
        self._pace.value = pace
        try:
            yield
        finally:
            self._pace.value = 0.0

    def capacity(self, seconds: float) -> float:
        """Commands per second at full speed."""
        with self.at(FULL_SPEED):
            time.sleep(0.5)
            before, started = self.sent.value, time.perf_counter()
            time.sleep(seconds)
            return float(self.sent.value - before) / (time.perf_counter() - started)

    def drained(self) -> list[float]:
        """The durations of all commands since the last call."""
        found = []
        while not self.durations.empty():
            found.append(self.durations.get())
        return found


def _run(shared: tuple[Any, ...], number: int) -> None:
    settings, pace, count, sent, durations, ready = shared
    app = create_app(settings)
    kernel: Kernel = app.extensions["kernel"]
    orders = [f"P{os.getpid()}-{each}" for each in range(ORDERS)]
    for order_id in orders:
        product.place(kernel, order_id)
    ready.wait(60)
    due = time.perf_counter()
    try:
        for order_id in itertools.cycle(orders):
            while not pace.value:
                time.sleep(0.005)
                due = time.perf_counter() + number / count / 100
            # A client that fell behind does not make up for it by a burst.
            due = max(due + count / pace.value, time.perf_counter() - 0.05)
            time.sleep(max(0.0, due - time.perf_counter()))
            started = time.perf_counter()
            product.note(kernel, order_id)
            durations.put((time.perf_counter() - started) * 1000)
            with sent.get_lock():
                sent.value += 1
    finally:
        close(app)
