"""A kernel with the tiny shop, on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine

from cqrs_app.kernel.assembling import Assembly
from cqrs_app.kernel.assembly import Engines, Kernel, Tuning
from cqrs_app.kernel.clock import utc_now
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.engines import configure, engine_options
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.kernel.subscriptions.wake_ups import Jobs
from cqrs_app.platform.runtime import runtime_area
from tests.kernel.shop import shop, test_tables
from tests.services.stores import Databases, Templates

KERNEL_READ = [
    tables.checkpoints,
    tables.parked_events,
    tables.digests,
    tables.reconciliations,
    tables.projection_generations,
]
KERNEL_WRITE = [
    tables.events,
    tables.streams,
    tables.command_log,
    tables.processes,
    tables.measurements,
    tables.traces,
    tables.seals,
    tables.claims,
    tables.data_keys,
    tables.subject_keys,
    tables.subscription_cursors,
    tables.subscription_parked,
    tables.statistics,
    tables.query_log,
]
LOADED = ["tests.kernel.conftest"]
"""What the process that others are forked from has loaded."""
MASTER_KEY = "for tests only"
JOBS = Jobs(prefix="countersign", module="cqrs_app.processes.jobs")
ANA = Actor(
    "ana",
    frozenset({"counters.change", "counters.view", "projections.manage", "projections.retry"}),
)


def make_tables(databases: Databases) -> None:
    """The tables of the kernel and of the tiny shop, without rows."""
    for url, table_sets in (
        (databases.write_url, [(tables.write_tables, KERNEL_WRITE)]),
        (databases.read_url, [(tables.read_tables, KERNEL_READ), (test_tables, None)]),
    ):
        engine = engine_on(url)
        for metadata, some in table_sets:
            metadata.create_all(engine, tables=some)
        engine.dispose()


def vault_on(engine: Engine, *masters: str) -> Vault:
    return Vault(engine, lambda: masters or (MASTER_KEY,), JOBS.prefix)


@pytest.fixture
def urls(kind: str, templates: Templates, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URLs of an empty write store and an empty read store."""
    with templates.copy(kind, make_tables, tmp_path) as databases:
        yield databases.write_url, databases.read_url


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
    made.dispose()


@pytest.fixture(params=["read", "write"])
def store(request: pytest.FixtureRequest) -> Store:
    """The store that holds the rows. Tests that use it run on each."""
    found: Store = request.param
    return found


@pytest.fixture
def store_engine(engines: Engines, store: Store) -> Engine:
    return engines.read if store == "read" else engines.write


@pytest.fixture
def make_kernel(engines: Engines, redis_url: str) -> Iterator[Callable[..., Kernel]]:
    """`make_kernel(commands=BusOptions(...), queries=QueryOptions(...), area=..., redis=url,
    engines=..., synchronous=[...], clock=...)`."""

    kernels: list[Kernel] = []

    def make(
        commands: BusOptions | None = None,
        queries: QueryOptions | None = None,
        redis: str = redis_url,
        batch: int = 50,
        engines: Engines = engines,
        synchronous: Collection[str] = (),
        clock: Callable[[], datetime] = utc_now,
        **area: Any,
    ) -> Kernel:
        made = area.get("area") or shop()
        client = Redis.from_url(redis, socket_timeout=0.25, socket_connect_timeout=0.25)
        kernel = Assembly(
            Registry([made, runtime_area([*made.projections, *made.subscriptions])]),
            engines,
            redis=client,
            cache_redis=client,
            vault=vault_on(engines.write),
            commands=commands or BusOptions(),
            queries=queries or QueryOptions(),
            tuning=Tuning(projection_batch=batch, amber_lag=5, red_lag=60, cache_ttl=60),
            jobs=JOBS,
            synchronous=synchronous,
            clock=clock,
        ).kernel()
        kernel.runner.prepare()
        kernels.append(kernel)
        return kernel

    yield make
    for kernel in kernels:
        # Kernels share engines: what one does at its end is measured by the recorder of another,
        # which would begin to write again.
        kernel.recorder.enabled = False
    for kernel in kernels:
        kernel.close()
        kernel.redis.close()


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel]) -> Kernel:
    return make_kernel()


def by_ana(**rest: Any) -> Context:
    """A context of an operator with all permissions of the tiny shop."""
    return Context(actor=ANA, channel="test", **rest)


ASKER = QueryContext(actor=ANA)
