"""Client processes that send commands through the bus at a given rate."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from typing import Any

from bench import product
from cqrs_app import create_app
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.console import close

ORDERS = 20
"""Orders per client, which get notes in turn."""
FULL_SPEED = 1e9
KEPT = 65_536
"""The maximum number of durations that each client keeps: the latest ones."""

_spawn = get_context("spawn")


class Sent:
    """The durations of one client's commands, in memory shared with the bench.

    Only the client writes, so no lock and no additional thread are needed.
    """

    def __init__(self) -> None:
        self.count = _spawn.RawValue("q", 0)
        self._durations = _spawn.RawArray("d", KEPT)
        self._seen = 0

    def add(self, milliseconds: float) -> None:
        self._durations[self.count.value % KEPT] = milliseconds
        self.count.value += 1

    def new(self) -> list[float]:
        """The durations since the last call, in ms."""
        until = self.count.value
        places = range(max(self._seen, until - KEPT), until)
        self._seen = until
        return [self._durations[place % KEPT] for place in places]


class Load:
    """`pace` is the total number of commands per second of all clients, 0 at first.

    With `notes`, an order gets this many notes, then the client places other orders, which count as
    commands too. Without it, the first orders are used forever.
    """

    def __init__(self, settings: Settings, count: int, notes: int | None = None) -> None:
        self.settings = settings
        self.notes = notes
        self._pace: Synchronized[float] = _spawn.Value("d", 0.0)
        self._ready = _spawn.Barrier(count + 1)
        self._sent = [Sent() for _ in range(count)]
        self._processes = [
            _spawn.Process(target=_run, args=self._shared(number), daemon=True)
            for number in range(count)
        ]

    def _shared(self, number: int) -> tuple[Any, ...]:
        paced = Paced(self._pace, number, len(self._sent))
        return self.settings, self.notes, paced, self._sent[number], self._ready

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
            before, started = self._count(), time.perf_counter()
            time.sleep(seconds)
            return float(self._count() - before) / (time.perf_counter() - started)

    def drained(self) -> list[float]:
        """The durations of all commands since the last call, in ms."""
        return [each for sent in self._sent for each in sent.new()]

    def _count(self) -> int:
        return sum(sent.count.value for sent in self._sent)


class Paced:
    """Decides when one of `count` clients may send its next command."""

    def __init__(self, pace: Synchronized[float], number: int, count: int) -> None:
        self._pace = pace
        self._number = number
        self._count = count
        self._due = 0.0

    def wait(self) -> None:
        while not self._pace.value:
            time.sleep(0.005)
            self._due = time.perf_counter() + self._number / self._count / 100
        # A client that is behind must not catch up in a burst.
        step = self._count / (self._pace.value or FULL_SPEED)
        self._due = max(self._due + step, time.perf_counter() - 0.05)
        # Even a sleep of zero seconds would yield the processor.
        if (pause := self._due - time.perf_counter()) > 0:
            time.sleep(pause)


def _run(settings: Settings, notes: int | None, paced: Paced, sent: Sent, ready: Barrier) -> None:
    app = create_app(settings)
    commands = _commands(services_of(app).kernel, notes)
    for _ in range(ORDERS):
        next(commands)
    ready.wait(60)
    try:
        while True:
            paced.wait()
            started = time.perf_counter()
            next(commands)
            sent.add((time.perf_counter() - started) * 1000)
    finally:
        close(app)


def _commands(kernel: Kernel, notes: int | None) -> Iterator[None]:
    """Sends one command per `next`: places ORDERS orders, then adds notes to them in turn."""
    numbers = itertools.count()
    while True:
        orders = [f"P{os.getpid()}-{next(numbers)}" for _ in range(ORDERS)]
        for order_id in orders:
            product.place(kernel, order_id)
            yield
        for _ in itertools.count() if notes is None else range(notes):
            for order_id in orders:
                product.note(kernel, order_id)
                yield
