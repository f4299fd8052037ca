"""Projections that are behind: the product's runner against batches by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Connection, select, update

from bench import backlog, product
from bench.cases import Group, Line, Sides
from bench.raw_projections import catch_up
from bench.raw_stores import raw_store
from bench.rounds import Plan, Slice
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import checkpoints

NAMES = ("orders", "order_timeline")


@contextmanager
def catching_up(kind: str, plan: Plan) -> Iterator[Sides]:
    """The same backlog of orders placed, approved, shipped and noted, into the same tables.

    The product does what it always does: it looks for parked events, knows poison from trouble,
    counts, and tells the cache.
    """
    with product.console(kind) as app:
        kernel: Kernel = app.extensions["kernel"]
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
    """Events per second over whole backlogs; emptying the tables in between does not count."""

    def slice_(seconds: float) -> float:
        spent, taken = 0.0, 0
        while spent < seconds:
            reset(kernel)
            started = time.perf_counter()
            run()
            spent += time.perf_counter() - started
            taken += events
        return taken / spent

    return slice_


def reset(kernel: Kernel) -> None:
    """Nothing taken in yet."""
    with kernel.engines.read.begin() as connection:
        for projection in map(kernel.registry.projections.__getitem__, NAMES):
            if connection.dialect.name == "sqlite":
                with projection.refilled(connection):
                    continue
            for table in projection.tables:
                connection.exec_driver_sql(f"TRUNCATE {table.name}")
        start = update(checkpoints).where(checkpoints.c.projection.in_(NAMES))
        connection.execute(start.values(position=0, applied=0))


def _require_same_rows(kernel: Kernel, *runs: Callable[[], object]) -> None:
    """Both sides must come to the same rows, or they would not be doing the same work."""
    found = []
    for run in runs:
        reset(kernel)
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


GROUPS = [
    Group(
        open=partial(catching_up, kind),
        lines=(
            Line(
                name=f"projection catch-up on {kind}",
                of="product",
                to="raw batches",
                least=least,
                unit="events per second",
            ),
        ),
    )
    for kind, least in (("postgresql", 0.6), ("sqlite", 0.45))
]
