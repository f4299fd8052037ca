"""Commands with and without recording statistics over time, by the time of the processor."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.rounds import Plan, Slice
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of

ORDERS = 1_000


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One console: switching recording on and off is all that differs. The thread that writes is in
    the time too."""
    with product.console(database) as app:
        kernel = services_of(app).kernel
        for number in range(ORDERS):
            product.place(kernel, f"A{number}")
        yield {
            "on": _per_cpu_second(_notes(kernel, recorded=True)),
            "off": _per_cpu_second(_notes(kernel, recorded=False)),
        }


def _per_cpu_second(step: Callable[[], None]) -> Slice:
    """A slice that lasts for so much time of this process, however busy the machine is."""

    def run(seconds: float) -> float:
        started, count = time.process_time(), 0
        while (elapsed := time.process_time() - started) < seconds:
            step()
            count += 1
        return count / elapsed

    return run


def _notes(kernel: Kernel, *, recorded: bool) -> Callable[[], None]:
    orders = itertools.cycle(f"A{number}" for number in range(ORDERS))

    def step() -> None:
        kernel.recorder.enabled = recorded
        product.note(kernel, next(orders))

    return step
