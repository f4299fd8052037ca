"""An event store with copies of one order, and the steps that are measured on it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.seeds.copies import copy_order, number_of
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of

PER_STREAM = 20
STEPS = ("append", "read a stream", "follow")


@contextmanager
def filled(database: str, events: int) -> Iterator[list[Callable[[], object]]]:
    """One step for each of STEPS, on a store with this many events."""
    with product.console(database) as app:
        kernel: Kernel = services_of(app).kernel
        fill(kernel, events)
        yield _steps(kernel, events // PER_STREAM, events // 2)


def fill(kernel: Kernel, events: int) -> None:
    """Give an empty store this many events, and those of the order that was copied."""
    product.place(kernel, "TEMPLATE")
    for _ in range(PER_STREAM - 1):
        product.note(kernel, "TEMPLATE")
    kernel.store.place()
    streams = events // PER_STREAM
    copy_order(kernel.engines.write, Order.stream_of("TEMPLATE"), "TEMPLATE", streams)
    assert kernel.store.head() == events + PER_STREAM


def _steps(kernel: Kernel, streams: int, middle: int) -> list[Callable[[], object]]:
    choose, places = random.Random(1), itertools.cycle(range(middle, middle + 5_000, 500))

    def some_order() -> str:
        return number_of(choose.randint(1, streams))

    def read() -> None:
        assert len(kernel.store.events_of(Order.stream_of(some_order()))) >= PER_STREAM

    def follow() -> None:
        assert len(kernel.store.follow(next(places), 500)) == 500

    return [lambda: product.note(kernel, some_order()), read, follow]
