"""`bin/bench --growth`: how times grow with sizes, as pictures.

Each point is the median over the rounds of the medians of short slices. The sizes of one picture
take turns. Every store belongs to a console of its own; big ones are filled by SQL.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bench import product
from bench.order_shop import shop
from bench.rounds import Plan, Slice, measure, median_ms
from bench.seeds.big_store import filled
from bench.svg import Panel, Series, picture
from bench.table import machine
from cqrs_app.services import services_of
from tests.processes.running import PROJECT

IMAGES = PROJECT / "docs" / "images"
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
STREAMS = (10, 100, 1_000, 10_000)
ORDERS = (1_000, 10_000, 100_000, 1_000_000)
EVENTS = (10_000, 100_000, 1_000_000)

Curves = Mapping[str, Mapping[int, Slice]]
"""Name of a curve -> size -> slice that measures the time in ms."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A picture. Its parts are measured one after the other, each with its own stores."""

    file: str
    title: str
    x: str
    parts: Sequence[Callable[[Plan], AbstractContextManager[Curves]]]


def run(plan: Plan) -> Iterator[str]:
    """Draw every picture; yields the output meanwhile."""
    for growth in GROWTHS:
        series: list[Series] = []
        for part in growth.parts:
            with part(plan) as curves:
                series += _measured(curves, plan)
        path = IMAGES / f"growth-{growth.file}.svg"
        panel = Panel(f"Median, on {machine()}", growth.x, "ms", series, powers=True)
        path.write_text(picture(growth.title, [panel]))
        for each in series:
            yield f"{growth.title}, {each.name}: {_written(each)}"
        yield f"drawn: {path.relative_to(PROJECT)}"


def _written(series: Series) -> str:
    return ", ".join(f"{y:.2f} ms at {x:,.0f}" for x, y in series.points)


def _measured(curves: Curves, plan: Plan) -> Iterator[Series]:
    sides = {f"{name} {size}": run for name, sizes in curves.items() for size, run in sizes.items()}
    found = measure(sides, plan)
    for name, sizes in curves.items():
        points = [(float(size), statistics.median(found[f"{name} {size}"])) for size in sizes]
        yield Series(name, points)


@contextmanager
def streams(kind: str, plan: Plan) -> Iterator[Curves]:
    """A note on an order with a given number of events."""
    with product.console(kind) as app:
        kernel = services_of(app).kernel
        for size in STREAMS:
            product.place(kernel, f"LONG{size}")
            product.add_notes(kernel, f"LONG{size}", size - 1)
        yield {
            NAMES[kind]: {
                size: median_ms(partial(product.note, kernel, f"LONG{size}")) for size in STREAMS
            }
        }


@contextmanager
def orders(plan: Plan) -> Iterator[Curves]:
    """Pages of the order list over HTTP: see order_shop.py."""
    names = ("first", "deep", "filtered", "searched")
    curves: dict[str, dict[int, Slice]] = {name: {} for name in names}
    with ExitStack() as stack:
        for size in ORDERS[:-1] if plan.quick else ORDERS:
            made = stack.enter_context(shop(size))
            for name, paths in made.pages().items():
                curves[name][size] = made.side(*paths)
        yield curves


@contextmanager
def stores(kind: str, plan: Plan) -> Iterator[Curves]:
    """A command on an order chosen at random from the whole store: see seeds/big_store.py."""
    with ExitStack() as stack:
        steps = {size: stack.enter_context(filled(kind, size))[0] for size in EVENTS}
        yield {NAMES[kind]: {size: median_ms(step) for size, step in steps.items()}}


GROWTHS = (
    Growth(
        "streams",
        "One command, by the length of its stream",
        "events in the stream",
        [partial(streams, kind) for kind in NAMES],
    ),
    Growth("orders", "A page of the order list, by the number of orders", "orders", [orders]),
    Growth(
        "events",
        "One command, by the size of the event store",
        "events in the store",
        [partial(stores, kind) for kind in NAMES],
    ),
)
