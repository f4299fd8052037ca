"""Puts the kernel together from a registry, three engines and Redis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from sqlalchemy import Engine

from cqrs_app.kernel.commands.bus import BusOptions, CommandBus
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.queries.bus import QueryBus, QueryOptions
from cqrs_app.kernel.queries.cache import QueryCache
from cqrs_app.kernel.queries.freshness import FreshnessGauge
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.store import EventStore, event_store
from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.subscriptions.doorbell import Doorbell
from cqrs_app.kernel.subscriptions.presence import Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """`write` and `read` are the stores; `query` reads the read store, perhaps a replica of it."""

    write: Engine
    read: Engine
    query: Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The kernel's numbers, from settings: events per batch, seconds of lag, seconds of cache."""

    projection_batch: int
    amber_lag: float
    red_lag: float
    cache_ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Everything that carries out commands, brings projections forward and answers queries."""

    registry: Registry
    engines: Engines
    store: EventStore
    log: CommandLog
    vault: Vault
    commands: CommandBus
    queries: QueryBus
    runner: ProjectionRunner
    cache: QueryCache
    statistics: Statistics
    doorbell: Doorbell
    presence: Presence
    redis: Redis
    clock: Callable[[], datetime]
    followers: Sequence[Background]

    def close(self) -> None:
        """Finish what runs in the background."""
        self.doorbell.close()
        for follower in self.followers:
            follower.close()
        self.statistics.close()


def assemble(
    registry: Registry,
    engines: Engines,
    *,
    redis: Redis,
    cache_redis: Redis,
    personal_data_key: str,
    commands: BusOptions,
    queries: QueryOptions,
    tuning: Tuning,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    followers: Sequence[Background] = (),
) -> Kernel:
    """Build the kernel; opens no connection. `followers` are nudged whenever a projection has
    moved: whatever else follows the log has something new then. `personal_data_key` opens the
    keys of personal data: see vault.py."""
    store, log = event_store(engines.write), CommandLog(engines.write)
    vault = Vault(engines.write, personal_data_key, clock)
    registry.codec.opener = vault
    statistics = Statistics(engines.read, clock)
    doorbell = Doorbell(redis, registry.consumers_of, store.place)
    cache = QueryCache(cache_redis, tuning.cache_ttl)

    def advanced(name: str, position: int, events: int, ms: float) -> None:
        cache.tag({name: position})
        if events:
            statistics.count("projection", name, "applied", ms, events)
            for follower in followers:
                follower.nudge()

    runner = ProjectionRunner(
        registry,
        store,
        engines.read,
        vault,
        batch=tuning.projection_batch,
        advanced=advanced,
        erased=cache.forget_all,
        clock=clock,
    )
    gauge = FreshnessGauge(store, amber=tuning.amber_lag, red=tuning.red_lag, clock=clock)
    command_bus = CommandBus(
        registry,
        store,
        log,
        vault,
        commands,
        after_commit=doorbell.ring,
        wake=doorbell.ring_for_command,
        count=lambda name, result, ms: statistics.count("command", name, result, ms),
        clock=clock,
    )
    query_bus = QueryBus(
        registry,
        {"read": engines.query, "write": engines.write},
        store,
        runner,
        gauge,
        cache,
        vault,
        queries,
        count=lambda name, result, ms: statistics.count("query", name, result, ms),
    )
    return Kernel(
        registry=registry,
        engines=engines,
        store=store,
        log=log,
        vault=vault,
        commands=command_bus,
        queries=query_bus,
        runner=runner,
        cache=cache,
        statistics=statistics,
        doorbell=doorbell,
        presence=Presence(engines.write, clock),
        redis=redis,
        clock=clock,
        followers=tuple(followers),
    )
