"""Projections that are behind: the product's runner against handwritten batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Connection, select

from bench import product
from bench.case import Sides
from bench.raw.projections import catch_up
from bench.raw.stores import raw_store
from bench.rounds import Plan, Slice
from bench.seeds import backlog
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of

NAMES = ("orders", "order_timeline")


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """The same backlog of orders placed, approved, shipped and noted, into the same tables.

    The product does all its usual work: it checks for parked events, distinguishes poison events
    from database failures, counts, and updates revisions for the cache.
    """
    with product.console(database, **product.ORDERS_ALONE) as app:
        kernel: Kernel = services_of(app).kernel
        events = backlog.by_commands(kernel, orders=400 if plan.quick else 1_500)
        with raw_store(kernel.engines.write, kernel.engines.read) as store:
            sides: dict[str, Callable[[], object]] = {
                "product": partial(_advance, kernel),
                "raw batches": partial(catch_up, store, kernel.vault, NAMES),
            }
            _require_same_rows(kernel, *sides.values())
            yield {name: _backlogs(kernel, run, events) for name, run in sides.items()}


def _advance(kernel: Kernel) -> None:
    for name in NAMES:
        kernel.runner.advance(name)


def _backlogs(kernel: Kernel, run: Callable[[], object], events: int) -> Slice:
    """Events per second over whole backlogs, without the time to empty the tables in between."""

    def slice_(seconds: float) -> float:
        spent, taken = 0.0, 0
        while spent < seconds:
            product.empty(kernel, NAMES)
            started = time.perf_counter()
            run()
            spent += time.perf_counter() - started
            taken += events
        return taken / spent

    return slice_


def _require_same_rows(kernel: Kernel, *runs: Callable[[], object]) -> None:
    """Both sides must produce the same rows, or they would not do the same work."""
    found = []
    for run in runs:
        product.empty(kernel, NAMES)
        run()
        with kernel.engines.read.connect() as connection:
            found.append(_rows(kernel, connection))
    for table in found[0]:
        assert table == "order_flags" or found[0][table]
        assert found[0][table] == found[1][table], f"the sides disagree on {table}"


def _rows(kernel: Kernel, connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: [
            tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
        ]
        for name in NAMES
        for table in kernel.registry.projections[name].tables
    }
