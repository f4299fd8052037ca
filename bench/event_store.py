"""The event store when it is big: what a command, a page and a projection do to it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench import product
from bench.cases import Group, Line, Sides
from bench.copies import copy_order, number_of
from bench.rounds import Plan, median_ms
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel

PER_STREAM = 20
SMALL = 10_000
BIG = 10_000_000
BIG_IF_QUICK = 100_000
DEEDS = ("append", "read a stream", "follow")


@contextmanager
def growing(kind: str, plan: Plan) -> Iterator[Sides]:
    """One command, a stream of 20 events read, 500 events followed from the middle; streams are
    chosen at random from the whole store."""
    big = BIG_IF_QUICK if plan.quick else BIG
    with filled(kind, SMALL) as small, filled(kind, big) as large:
        yield {
            f"{deed}, {size}": median_ms(step)
            for size, steps in (("small", small), ("big", large))
            for deed, step in zip(DEEDS, steps, strict=True)
        }


@contextmanager
def filled(kind: str, events: int) -> Iterator[list[Callable[[], object]]]:
    """One step for each of DEEDS, on a store with so many events."""
    with product.console(kind) as app:
        kernel: Kernel = app.extensions["kernel"]
        product.place(kernel, "TEMPLATE")
        for _ in range(PER_STREAM - 1):
            product.note(kernel, "TEMPLATE")
        kernel.store.place()
        streams = events // PER_STREAM
        copy_order(kernel.engines.write, Order.stream_of("TEMPLATE"), "TEMPLATE", streams)
        assert kernel.store.head() == events + PER_STREAM
        yield _steps(kernel, streams, events // 2)


def _steps(kernel: Kernel, streams: int, middle: int) -> list[Callable[[], object]]:
    choose, places = random.Random(1), itertools.cycle(range(middle, middle + 5_000, 500))

    def some_order() -> str:
        return number_of(choose.randint(1, streams))

    def read() -> None:
        assert len(kernel.store.events_of(Order.stream_of(some_order()))) >= PER_STREAM

    def follow() -> None:
        assert len(kernel.store.follow(next(places), 500)) == 500

    return [lambda: product.note(kernel, some_order()), read, follow]


GROUPS = [
    Group(
        open=partial(growing, kind),
        lines=tuple(
            Line(
                name=f"{deed}, big event store on {kind}",
                of=f"{deed}, big",
                to=f"{deed}, small",
                most=1.2,
                unit=f"ms; {BIG:,} events, with --quick {BIG_IF_QUICK:,}, against {SMALL:,}",
            )
            for deed in DEEDS
        ),
    )
    for kind in ("postgresql", "sqlite")
]
