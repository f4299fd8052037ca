"""Commands: the whole chain against the raw writes, long streams against short, batches."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import product, raw
from bench.cases import Group, Line, Sides
from bench.rounds import Plan, median_ms, rate
from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.kernel.assembly import Kernel

LONG = 10_000
SHORT = 10
BATCH = 1_000


@contextmanager
def against_raw(kind: str, plan: Plan) -> Iterator[Sides]:
    with product.console(kind) as app, raw_step(kind) as step:
        kernel = app.extensions["kernel"]
        yield {"product": rate(_notes(kernel)), "raw.load": rate(step)}


@contextmanager
def raw_step(kind: str) -> Iterator[Callable[[], None]]:
    if kind == "postgresql":
        with raw.on_postgres(product.fresh_database()) as step:
            yield step
        return
    with (
        tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder,
        raw.on_sqlite(Path(folder) / "raw.sqlite3") as step,
    ):
        yield step


def _notes(kernel: Kernel) -> Callable[[], None]:
    """One note on the next of many orders."""
    orders = [f"A{number}" for number in range(raw.STREAMS)]
    for order_id in orders:
        product.place(kernel, order_id)
    following = itertools.cycle(orders)
    return lambda: product.note(kernel, next(following))


@contextmanager
def long_streams(kind: str, plan: Plan) -> Iterator[Sides]:
    """One command on a stream of 10,000 events, and on one of 10."""
    with product.console(kind) as app:
        kernel = app.extensions["kernel"]
        for order_id, events in (("LONG", LONG), ("SHORT", SHORT)):
            product.place(kernel, order_id)
            for _ in range(0, events, BATCH):
                _batch(kernel, order_id, min(BATCH, events))
        yield {
            "stream of 10,000": median_ms(partial(product.note, kernel, "LONG")),
            "stream of 10": median_ms(partial(product.note, kernel, "SHORT")),
        }


@contextmanager
def batches(kind: str, plan: Plan) -> Iterator[Sides]:
    with product.console(kind) as app:
        kernel = app.extensions["kernel"]
        for order_id in ("BATCH", "ALONE"):
            product.place(kernel, order_id)
        yield {
            "batch": rate(partial(_batch, kernel, "BATCH", BATCH), per_step=BATCH),
            "one by one": rate(partial(product.note, kernel, "ALONE")),
        }


def _batch(kernel: Kernel, order_id: str, count: int) -> None:
    command = AddOrderNote(order_id=order_id, note="Mind the dog.")
    outcomes = kernel.commands.execute_batch([(command, product.context()) for _ in range(count)])
    assert all(outcome.error is None for outcome in outcomes)


GROUPS = [
    *(
        Group(
            open=partial(against_raw, kind),
            lines=(
                Line(name=f"command on {kind}, 1 client", of="product", to="raw.load", least=least),
            ),
        )
        for kind, least in (("postgresql", 0.75), ("sqlite", 0.45))
    ),
    *(
        Group(
            open=partial(long_streams, kind),
            lines=(
                Line(
                    name=f"stream of 10,000 events on {kind}",
                    of="stream of 10,000",
                    to="stream of 10",
                    most=1.1,
                    unit="ms",
                ),
            ),
        )
        for kind in ("postgresql", "sqlite")
    ),
    *(
        Group(
            open=partial(batches, kind),
            lines=(
                Line(
                    name=f"commands in batches of {BATCH:,} on {kind}",
                    of="batch",
                    to="one by one",
                    least=5,
                ),
            ),
        )
        for kind in ("postgresql", "sqlite")
    ),
]
