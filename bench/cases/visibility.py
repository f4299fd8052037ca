"""The time from the return of a commit to the row that shows it, through the worker processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import psycopg
from sqlalchemy import make_url

from bench import product
from bench.case import Sides
from bench.clients.load import Load
from bench.processes.background import WORKERS, megabytes, settle, started
from bench.rounds import Plan, Slice, percentile
from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of

LONGER = 4
"""A slice is this many times longer than elsewhere, so that its 99th percentile is meaningful."""
PAUSE = 0.02
"""Mean time in seconds between two commands on an idle console, randomized to avoid resonance."""
BACKLOG = 2_000
CLIENTS = 2

_NOTE = AddOrderNote(order_id="SEEN", note="Mind the dog.")


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """PostgreSQL, Redis, two `flask worker` processes and the sweep, as shipped. A separate
    connection reads the row every 0.5 ms. At half load, two client processes add notes at half of
    their maximum rate during the measurement.

    LISTEN/NOTIFY is shown for comparison. It writes and projects nothing: it is the cost of a
    signal alone.
    """
    with (
        product.console("postgresql") as app,
        started(app, *["worker"] * WORKERS, "sweep") as background,
        Load(services_of(app).settings, CLIENTS).running() as clients,
    ):
        kernel: Kernel = services_of(app).kernel
        product.place(kernel, "SEEN")
        half = clients.capacity(1.0 if plan.quick else 5.0) / 2
        settle(kernel)
        plain = make_url(services_of(app).settings.database_url).set(drivername="postgresql")
        address = plain.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as reader, _notified(address) as notify:
            one = _one(kernel, reader)
            yield {
                "visible, median": _idle(kernel, one, 0.5),
                "visible, 99th percentile": _idle(kernel, one, 0.99),
                "visible at half load": _loaded(kernel, clients, half, one),
                "LISTEN/NOTIFY": _samples(notify, 0.5),
                "worker": lambda _: _memory(kernel, background[:WORKERS]),
            }


def _one(kernel: Kernel, reader: psycopg.Connection) -> Callable[[], float]:
    """Run one command and wait for its row; returns the time since the commit in ms."""
    applied = "SELECT applied_version FROM orders WHERE order_id = 'SEEN'"

    def step() -> float:
        receipt = kernel.commands.execute(_NOTE, product.context())
        committed = time.perf_counter()
        while True:
            found = reader.execute(applied, prepare=True).fetchone()
            if found and found[0] >= receipt.version:
                return (time.perf_counter() - committed) * 1000
            assert time.perf_counter() - committed < 10, "it never became visible"
            time.sleep(0.0005)

    return step


def _idle(kernel: Kernel, one: Callable[[], float], share: float) -> Slice:
    def run(seconds: float) -> float:
        settle(kernel)
        return _samples(one, share)(seconds)

    return run


def _loaded(kernel: Kernel, clients: Load, pace: float, one: Callable[[], float]) -> Slice:
    def run(seconds: float) -> float:
        settle(kernel)
        with clients.at(pace):
            time.sleep(0.2)
            return _samples(one, 0.99)(seconds)

    return run


def _samples(one: Callable[[], float], share: float) -> Slice:
    """A percentile of the durations, in ms."""
    choose = random.Random(1)

    def run(seconds: float) -> float:
        until = time.perf_counter() + seconds * LONGER
        found = []
        while time.perf_counter() < until:
            found.append(one())
            time.sleep(choose.uniform(0.5, 1.5) * PAUSE)
        return percentile(found, share)

    return run


@contextmanager
def _notified(address: str) -> Iterator[Callable[[], float]]:
    with (
        psycopg.connect(address, autocommit=True) as listener,
        psycopg.connect(address, autocommit=True) as sender,
    ):
        listener.execute("LISTEN bench")

        def step() -> float:
            sender.execute("NOTIFY bench")
            committed = time.perf_counter()
            next(listener.notifies(timeout=10, stop_after=1))
            return (time.perf_counter() - committed) * 1000

        yield step


def _memory(kernel: Kernel, workers: list[psutil.Process]) -> float:
    """The resident memory of the bigger worker in MB, after another backlog."""
    for _ in range(BACKLOG // 500):
        kernel.commands.execute_batch([(_NOTE, product.context()) for _ in range(500)])
    settle(kernel)
    return megabytes(workers)
