"""A kernel with the tiny shop on it, on every kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine

from cqrs_app.kernel import tables
from cqrs_app.kernel.assembly import Engines, Kernel, Tuning, assemble
from cqrs_app.kernel.command_bus import BusOptions
from cqrs_app.kernel.context import Actor, Context
from cqrs_app.kernel.databases import configure, engine_options
from cqrs_app.kernel.query_bus import Asker, QueryOptions
from cqrs_app.kernel.registry import Registry
from cqrs_app.runtime import runtime_area
from tests.kernel.shop import shop, test_tables

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


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Addresses of an empty write and read store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'write.db'}", f"sqlite:///{tmp_path / 'read.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    with ExitStack() as stack:
        write, read = (stack.enter_context(server.database()) for _ in range(2))
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
    tables.write.create_all(made.write, tables=KERNEL_WRITE)
    tables.read.create_all(made.read, tables=KERNEL_READ)
    test_tables.create_all(made.read)
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
