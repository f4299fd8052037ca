"""Rebuilding the order list from a long log, and the memory it needs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench import product
from bench.case import Sides, Unavailable
from bench.raw.projections import catch_up
from bench.raw.stores import raw_store
from bench.rounds import Plan
from bench.seeds import backlog
from bench.seeds.copies import copy_order
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One rebuild by the product and one by hand. Each is long enough that no rounds are needed.
    The product replays in one transaction while readers see the old rows. The handwritten one
    commits every batch, into tables that were emptied before."""
    orders = 5_000 if plan.quick else 250_000
    with product.console(database, **product.ORDERS_ALONE) as app:
        kernel: Kernel = services_of(app).kernel
        backlog.one_order(kernel, "TEMPLATE")
        copy_order(kernel.engines.write, Order.stream_of("TEMPLATE"), "TEMPLATE", orders)
        events = kernel.store.head()
        with raw_store(kernel.engines.write, kernel.engines.read) as store:
            started = time.perf_counter()
            assert catch_up(store, kernel.vault, ["orders"]) == events
            by_hand = events / (time.perf_counter() - started)
        product.empty(kernel, ["orders"])
        rate, grown = _rebuild(kernel, events)
        yield {
            "product": lambda _: rate,
            "raw batches": lambda _: by_hand,
            "memory": lambda _: grown,
        }


def _rebuild(kernel: Kernel, events: int) -> tuple[float, float]:
    """Events per second, and the ratio of the memory at the end to the memory after a tenth."""
    this = psutil.Process(os.getpid())
    held: list[int] = []

    def progress(done: int, everything: int) -> None:
        if not held and done * 10 >= everything:
            held.append(this.memory_info().rss)

    started = time.perf_counter()
    if kernel.runner.rebuild("orders", progress) != events:
        raise Unavailable("the log was not whole")
    rate = events / (time.perf_counter() - started)
    return rate, this.memory_info().rss / held[0]
