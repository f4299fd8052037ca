"""Rebuilding beside against rebuilding in place, and what readers notice of a swap."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil
from sqlalchemy import text

from bench import product
from bench.case import Sides
from bench.clients.sliced import Client
from bench.rounds import Plan
from bench.seeds import backlog
from bench.seeds.copies import copy_order
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    RebuildBeside,
    SwapProjection,
    SwitchBack,
)
from cqrs_app.services import services_of
from tests.processes.running import clean_environment

SWAP_SECONDS = 2.0
"""How long the reader reads: longer than a swap takes."""


@contextmanager
def rebuild_sides(database: str, plan: Plan) -> Iterator[Sides]:
    """Events per second of the processor, that of the database server included, so that other work
    on the machine does not count."""
    with _shop(database, 1_000 if plan.quick else 25_000) as kernel:
        every = [*kernel.registry.projections]
        yield {
            "in place": lambda _: _in_place(kernel, ["orders"]),
            "beside": lambda _: _beside(kernel, ["orders"]),
            "one after the other": lambda _: _in_place(kernel, every),
            "one pass": lambda _: _beside(kernel, every),
        }


@contextmanager
def swap_sides(database: str, plan: Plan) -> Iterator[Sides]:
    """The longest that a reader in another process waits for one row while orders are swapped, and
    while nothing is swapped."""
    with _shop(database, 1_000 if plan.quick else 25_000) as kernel:
        _do(kernel, RebuildBeside(projection="orders"))
        url = kernel.engines.query.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "bench.clients.polling", url]
        reader = Client(command, clean_environment({}))

        def swap(seconds: float) -> float:
            while kernel.builder.work(60):
                pass
            reader.begin(SWAP_SECONDS)
            _do(kernel, SwapProjection(projection="orders"))
            longest = reader.result()
            _do(kernel, SwitchBack(projection="orders"))
            _do(kernel, CompareGenerations(projection="orders"))
            return longest

        def quiet(seconds: float) -> float:
            reader.begin(SWAP_SECONDS)
            return reader.result()

        try:
            reader.wait_until_ready()
            yield {"swap": swap, "no swap": quiet}
        finally:
            reader.close()


@contextmanager
def _shop(database: str, orders: int) -> Iterator[Kernel]:
    with product.console(database, **product.ORDERS_ALONE) as app:
        kernel: Kernel = services_of(app).kernel
        backlog.one_order(kernel, "TEMPLATE")
        copy_order(kernel.engines.write, Order.stream_of("TEMPLATE"), "TEMPLATE", orders)
        for name in kernel.registry.subscriptions:
            kernel.runner.advance(name)
        yield kernel


def _do(kernel: Kernel, command: Command) -> None:
    kernel.commands.execute(command, product.context())
    kernel.runner.advance("projection_control")


def _in_place(kernel: Kernel, names: Sequence[str]) -> float:
    started = _spent(kernel)
    for name in names:
        kernel.runner.rebuild(name, lambda done, total: None)
    return kernel.store.head() / (_spent(kernel) - started)


def _beside(kernel: Kernel, names: Sequence[str]) -> float:
    for name in names:
        _do(kernel, RebuildBeside(projection=name))
    for name in kernel.registry.projections:
        kernel.runner.advance(name)
    started = _spent(kernel)
    while any(kernel.builder.rows()[name].built_at is None for name in names):
        kernel.builder.work(0.5)
    spent = _spent(kernel) - started
    for name in names:
        _do(kernel, DropGeneration(projection=name))
    return kernel.store.head() / spent


def _spent(kernel: Kernel) -> float:
    """Seconds of the processor that this process and the database server have used."""
    spent = time.process_time()
    if kernel.engines.read.dialect.name == "postgresql":
        with kernel.engines.read.connect() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        server = psutil.Process(backend).parent()
        assert server is not None
        times = [each.cpu_times() for each in server.children()]
        spent += sum(each.user + each.system for each in times)
    return spent
