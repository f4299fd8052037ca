"""A kernel with the tiny shop on it, on every kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine

from cqrs_app.kernel.assembly import Engines, Kernel, Tuning, assemble
from cqrs_app.kernel.commands.bus import BusOptions
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.context import Asker
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.engines import configure, engine_options
from cqrs_app.platform.runtime import runtime_area
from tests.kernel.shop import shop, test_tables
from tests.services.postgres import PostgresServer

KERNEL_READ = [tables.checkpoints, tables.parked_events, tables.statistics]
KERNEL_WRITE = [
    tables.events,
    tables.streams,
    tables.command_log,
    tables.processes,
    tables.claims,
    tables.subject_keys,
]
ANA = Actor("ana", frozenset({"counters.change", "counters.view", "projections.manage"}))


def make_tables(write: str, read: str) -> None:
    """The tables of the kernel, and of the tiny shop, in two empty stores."""
    for url, table_sets in (
        (write, [(tables.write, KERNEL_WRITE)]),
        (read, [(tables.read, KERNEL_READ), (test_tables, None)]),
    ):
        engine = engine_on(url)
        for metadata, some in table_sets:
            metadata.create_all(engine, tables=some)
        engine.dispose()


@pytest.fixture(scope="session")
def kernel_on_postgresql(postgres_server: PostgresServer) -> tuple[str, str]:
    """Two stores with these tables and no rows, to be copied."""
    write, read = postgres_server.create(), postgres_server.create()
    make_tables(write, read)
    return write, read


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of a write and a read store without rows."""
    if request.param == "sqlite":
        write, read = (f"sqlite:///{tmp_path / side}.db" for side in ("write", "read"))
        make_tables(write, read)
        yield write, read
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with ExitStack() as stack:
        write, read = (
            stack.enter_context(server.database(template=each))
            for each in request.getfixturevalue("kernel_on_postgresql")
        )
        yield write, read


def engine_on(url: str, *, read_only: bool = False) -> Engine:
    engine = create_engine(url, **engine_options(url, timeout=20, pool_size=5, read_only=read_only))
    configure(engine, durable=False, read_only=read_only, timeout=20)
    return engine


@pytest.fixture
def engines(urls: tuple[str, str]) -> Iterator[Engines]:
    write, read = urls
    made = Engines(
        write=engine_on(write), read=engine_on(read), query=engine_on(read, read_only=True)
    )
    yield made
    for engine in (made.write, made.read, made.query):
        engine.dispose()


@pytest.fixture
def make_kernel(engines: Engines, redis_url: str) -> Iterator[Callable[..., Kernel]]:
    """`make_kernel(commands=BusOptions(...), queries=QueryOptions(...), area=..., redis=url)`."""

    kernels: list[Kernel] = []

    def make(
        commands: BusOptions | None = None,
        queries: QueryOptions | None = None,
        redis: str = redis_url,
        batch: int = 50,
        **area: Any,
    ) -> Kernel:
        made = area.get("area") or shop()
        names = [projection.name for projection in made.projections]
        client = Redis.from_url(redis, socket_timeout=0.25, socket_connect_timeout=0.25)
        kernel = assemble(
            Registry([made, runtime_area(names)]),
            engines,
            redis=client,
            cache_redis=client,
            personal_data_key="for tests only",
            commands=commands or BusOptions(),
            queries=queries or QueryOptions(),
            tuning=Tuning(projection_batch=batch, amber_lag=5, red_lag=60, cache_ttl=60),
        )
        kernel.runner.prepare()
        kernels.append(kernel)
        return kernel

    yield make
    for kernel in kernels:
        kernel.close()
        kernel.redis.close()


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel]) -> Kernel:
    return make_kernel()


def by_ana(**rest: Any) -> Context:
    """A context of the operator who may do everything here."""
    return Context(actor=ANA, channel="test", **rest)


ASKER = Asker(actor=ANA)
