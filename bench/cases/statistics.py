"""Commands with and without recording statistics over time, by the time of the processor."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.rounds import Plan
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.rows import SLOT_SECONDS
from cqrs_app.services import services_of

ORDERS = 1_000
CHUNK = 25
"""Commands with recording on, and as many with it off, in random order."""
PAIRS_PER_SECOND = 100
WRITES = 10


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One console: switching recording on and off is all that differs. Both sides of a round are
    measured together, in short chunks by turns, since what differs is less than what a minute of a
    busy machine makes of it."""
    with product.console(database) as app:
        kernel = services_of(app).kernel
        for number in range(ORDERS):
            product.place(kernel, f"A{number}")
        pairs, chance = _Pairs(kernel), random.Random(1)
        left: dict[str, float] = {}

        def measured(side: str, seconds: float) -> float:
            if side not in left:
                left.update(pairs.measure(int(seconds * PAIRS_PER_SECOND), chance))
            return left.pop(side)

        yield {
            "on": lambda seconds: measured("on", seconds),
            "off": lambda seconds: measured("off", seconds),
        }


class _Pairs:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._orders = itertools.cycle(f"A{number}" for number in range(ORDERS))

    def measure(self, pairs: int, chance: random.Random) -> dict[str, float]:
        """Commands per second of the processor: of the thread that sends them, and of the one that
        writes what was recorded."""
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(pairs):
            for recorded in chance.sample([True, False], 2):
                times[recorded].append(self._chunk(recorded=recorded))
        rates = {recorded: CHUNK / statistics.median(times[recorded]) for recorded in times}
        return {"on": rates[True] * (1 - self._writing()), "off": rates[False]}

    def _chunk(self, *, recorded: bool) -> float:
        self._kernel.recorder.enabled = recorded
        started = time.thread_time()
        for _ in range(CHUNK):
            product.note(self._kernel, next(self._orders))
        return time.thread_time() - started

    def _writing(self) -> float:
        """The share of a processor that writing takes, in each process."""
        self._kernel.recorder.enabled = True
        spent = 0.0
        for _ in range(WRITES):
            product.note(self._kernel, next(self._orders))
            started = time.thread_time()
            self._kernel.recorder.flush()
            spent += time.thread_time() - started
        return spent / WRITES / SLOT_SECONDS
