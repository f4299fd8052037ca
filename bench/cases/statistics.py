"""Commands with and without recording statistics over time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.rounds import Plan, rate
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of

ORDERS = 1_000


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One console: switching recording on and off is all that differs."""
    with product.console(database) as app:
        kernel = services_of(app).kernel
        for number in range(ORDERS):
            product.place(kernel, f"A{number}")
        yield {
            "on": rate(_notes(kernel, recorded=True)),
            "off": rate(_notes(kernel, recorded=False)),
        }


def _notes(kernel: Kernel, *, recorded: bool) -> Callable[[], None]:
    orders = itertools.cycle(f"A{number}" for number in range(ORDERS))

    def step() -> None:
        kernel.recorder.enabled = recorded
        product.note(kernel, next(orders))

    return step
