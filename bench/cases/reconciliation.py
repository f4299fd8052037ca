"""Comparing every read model of the orders with its digests, and finding one wrong cell in each."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Table

from bench import product
from bench.case import Sides
from bench.rounds import Plan
from bench.seeds import backlog
from bench.seeds.copies import copy_order
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from tests.kernel.reconciliation.corruption import changed_cell, rows_of


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """Seconds for a million orders, from one pass that is long enough that no rounds are needed."""
    orders = 5_000 if plan.quick else 250_000
    with product.console(database, **product.ORDERS_ALONE) as app:
        kernel: Kernel = services_of(app).kernel
        backlog.one_order(kernel, "TEMPLATE")
        copy_order(kernel.engines.write, Order.stream_of("TEMPLATE"), "TEMPLATE", orders)
        product.catch_up(kernel)
        started, spent = time.perf_counter(), time.process_time()
        equal = [not _drifted(kernel, name) for name in kernel.registry.projections]
        seconds = time.perf_counter() - started
        spent = time.process_time() - spent
        assert all(equal), "rows that nobody touched differ"
        _require_every_cell_found(kernel)
        per_million = 1_000_000 / orders
        yield {"pass": lambda _: seconds * per_million, "processor": lambda _: spent * per_million}


def _drifted(kernel: Kernel, name: str) -> set[str]:
    return {*kernel.reconciler.compare(name).drifted}


def _require_every_cell_found(kernel: Kernel) -> None:
    chance = random.Random(14)
    for name, projection in kernel.registry.projections.items():
        planted = {t.name for t in projection.tables if _corrupt(kernel, t, chance)}
        assert _drifted(kernel, name) == planted, f"not every wrong cell of {name} was found"


def _corrupt(kernel: Kernel, table: Table, chance: random.Random) -> bool:
    with kernel.engines.read.begin() as connection:
        rows = rows_of(connection, table, limit=100)
        return bool(rows) and changed_cell(connection, table, rows, chance) is not None
