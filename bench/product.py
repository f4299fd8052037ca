"""The product as shipped, on its own stores, with fsync, log, deduplication and hash chain."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import update
from sqlalchemy.engine import URL

from cqrs_app import create_app, database
from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.projections import digests
from cqrs_app.kernel.store.tables import checkpoints
from cqrs_app.processes import embedded_redis
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.console import close
from tests.services.postgres import PostgresServer, find_programs, running_server

OPERATOR = Actor("bench", ROLES["admin"])
BATCH = 1_000
LINE = OrderLine(sku="85123A", description="White hanging heart", quantity=6, unit_price=Decimal(2))

ORDERS_ALONE: dict[str, Any] = {
    "fulfilment": False,
    "unknown_customers": "accept",
    "shipping_address_required": False,
}
"""Settings under which orders need nothing of other areas: their seeds are made of orders only."""

_open = ExitStack()
_numbers = itertools.count()


@cache
def postgres() -> URL:
    """The URL of the run's PostgreSQL server, which has fsync on."""
    programs = find_programs()
    if programs is None:
        raise SystemExit("bin/bench needs PostgreSQL: apt-get install postgresql.")
    folder = Path(tempfile.mkdtemp(prefix="countersign-bench-"))
    _open.callback(shutil.rmtree, folder, ignore_errors=True)
    server = running_server(programs, folder, durability=("shared_buffers=512MB",))
    return _open.enter_context(server)


def shut_down() -> None:
    """Stop everything that the run has started."""
    _open.close()


@contextmanager
def console(kind: str, **changed: Any) -> Iterator[Flask]:
    """A console on new stores of this kind ("sqlite", "postgresql"), with its own Redis and no
    worker, so wake-ups stay pending. `changed` are settings."""
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        path = Path(folder)
        url = fresh_database() if kind == "postgresql" else ""
        settings = Settings(
            data_dir=path, database_url=url, command_logging_enabled=True, **changed
        ).resolved()
        with _redis(path):
            database.upgrade(settings)
            app = create_app(settings)
            services_of(app).kernel.runner.prepare()
            try:
                yield app
            finally:
                close(app)


@contextmanager
def _redis(folder: Path) -> Iterator[None]:
    server = subprocess.Popen(embedded_redis.command(folder), stdout=subprocess.DEVNULL)
    try:
        if not embedded_redis.wait_until_ready(folder, lambda: server.poll() is None):
            raise SystemExit(f"Redis did not start: see {embedded_redis.log_file(folder)}.")
        yield
    finally:
        server.terminate()
        server.wait()


def fresh_database() -> str:
    """Create another empty database on the run's server."""
    return PostgresServer(postgres(), f"bench_{next(_numbers)}").create()


def catch_up(kernel: Kernel) -> None:
    """Advance every projection to the end of the log."""
    for name in kernel.registry.projections:
        while kernel.runner.advance(name):
            pass


def empty(kernel: Kernel, names: Sequence[str]) -> None:
    """Reset these projections to the beginning of the log."""
    with kernel.engines.read.begin() as connection:
        for projection in map(kernel.registry.projections.__getitem__, names):
            if connection.dialect.name == "sqlite":
                with projection.refilled(connection):
                    continue
            for table in projection.tables:
                connection.exec_driver_sql(f"TRUNCATE {table.name}")
            digests.forget(connection, projection.tables)
        start = update(checkpoints).where(checkpoints.c.subscription.in_(names))
        connection.execute(start.values(position=0, applied=0))


@cache
def folder() -> Path:
    """A folder that is removed at the end of the run."""
    made = Path(tempfile.mkdtemp(prefix="countersign-bench-"))
    _open.callback(shutil.rmtree, made, ignore_errors=True)
    return made


def place(kernel: Kernel, order_id: str) -> None:
    kernel.commands.execute(
        PlaceOrder(order_id=order_id, country="France", currency="EUR", lines=(LINE,)), context()
    )


def note(kernel: Kernel, order_id: str) -> None:
    """The command that is measured: one event on an existing order."""
    kernel.commands.execute(AddOrderNote(order_id=order_id, note="Mind the dog."), context())


def add_notes(kernel: Kernel, order_id: str, count: int) -> None:
    """Add this many events to an existing order, in batches of BATCH commands."""
    command = AddOrderNote(order_id=order_id, note="Mind the dog.")
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        outcomes = kernel.commands.execute_batch([(command, context()) for _ in range(size)])
        assert all(outcome.error is None for outcome in outcomes)


def context() -> Context:
    return Context(actor=OPERATOR, channel="bench")
