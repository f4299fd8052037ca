"""Assembles the kernel from a registry, three engines and Redis."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from redis import Redis
from sqlalchemy import Engine

from cqrs_app.kernel.commands.bus import BusOptions, CommandBus
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.commands.middleware import Count
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.measurements import slow_statements
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.measurements.traces import TraceStore
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections.building import Builder
from cqrs_app.kernel.projections.comparison import Comparison
from cqrs_app.kernel.projections.generation_control import Exchanged, GenerationControl
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.projections.synchronous import follower_of
from cqrs_app.kernel.queries.bus import QueryBus, QueryOptions
from cqrs_app.kernel.queries.cache import QueryCache
from cqrs_app.kernel.queries.freshness import FreshnessGauge
from cqrs_app.kernel.queries.log import QueryLog
from cqrs_app.kernel.queries.past import Past
from cqrs_app.kernel.queries.readers import ReadingRights
from cqrs_app.kernel.queries.write_through import WriteThrough
from cqrs_app.kernel.reconciliation.reconciler import Reconciler
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.reporting import Reporter, reporting, unreported
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.store import Change, EventStore, event_store
from cqrs_app.kernel.store.base import APPENDED
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.kernel.subscriptions.presence import Presence, seen
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.kernel.subscriptions.wake_ups import Jobs, WakeUps
from cqrs_app.kernel.tracing.live import LiveSpan
from cqrs_app.kernel.tracing.tracer import Finished, Tracer
from cqrs_app.kernel.verification.logs import verify_logs
from cqrs_app.kernel.verification.seals import LogName, Seal, Seals
from cqrs_app.kernel.verification.streams import Report, StreamVerifier

CLOCK_TOLERANCE = timedelta(seconds=60)
"""Allowance for the clocks of hosts, and for the time between finishing a command and its
commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """`write` and `read` are the stores; `query` reads the read store or a replica of it."""

    write: Engine
    read: Engine
    query: Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Numbers from the settings: events per batch, lag in seconds, cache lifetime in seconds."""

    projection_batch: int
    amber_lag: float
    red_lag: float
    cache_ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Everything that carries out commands, advances projections and answers queries."""

    registry: Registry
    engines: Engines
    store: EventStore
    log: CommandLog
    vault: Vault
    commands: CommandBus
    queries: QueryBus
    runner: ProjectionRunner
    builder: Builder
    comparison: Comparison
    cache: QueryCache
    write_through: WriteThrough
    query_log: QueryLog
    statistics: Statistics
    recorder: Recorder
    tracer: Tracer
    traces: TraceStore
    roll_up: RollUp
    wake_ups: WakeUps
    tasks: Mapping[str, Dispatcher]
    presence: Presence
    seals: Seals
    reconciler: Reconciler
    redis: Redis
    tuning: Tuning
    clock: Callable[[], datetime]
    report: Reporter

    def verify_streams(self) -> Iterator[Report]:
        """Verify each stream: see verification/streams.py."""
        registry = self.registry
        return StreamVerifier(self.store, registry.codec, registry.aggregates).verify()

    def verify_logs(self, against: Mapping[LogName, Seal] | None = None) -> Iterator[Report]:
        """Verify the event log and the command log as a whole. `against` are seals kept
        elsewhere."""
        yield from verify_logs(self.engines.write)
        yield from self.seals.verify(against)

    def close(self) -> None:
        """Finish pending background work."""
        self.wake_ups.close()
        self.write_through.close()
        self.query_log.close()
        for dispatcher in self.tasks.values():
            dispatcher.close()
        self.traces.close()
        self.statistics.close()
        self.recorder.close()


def _counting(statistics: Statistics, recorder: Recorder, bus: str, metric: str) -> Count:
    def count(name: str, result: str, ms: float, error: str = "") -> None:
        statistics.count(bus, name, result, ms)
        recorder.record(metric, (name, result), ms)
        if error:
            recorder.record("errors", (bus, name, result, error), 1)

    return count


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
    jobs: Jobs,
    synchronous: Collection[str] = (),
    exchanged: Exchanged = lambda connection, tables: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    report: Reporter = unreported,
    export: Finished | None = None,
    rights: ReadingRights | None = None,
    person_of: PersonOf = str,
) -> Kernel:
    """Build the kernel. Opens no connection.

    Background tasks look for due work whenever a subscription has advanced. `personal_data_key`
    wraps the keys of personal data (see vault.py), signs seals and keys the digests of rows.
    `exchanged` is called in the transaction of a swap: see projections/generation_control.py.
    The projections named in `synchronous` are so, and those that declare it; raises NotOneDatabase
    where they cannot be (see projections/synchronous.py). Unexpected exceptions go to `report`, and
    spans to `export` if they are sent elsewhere. `rights`: what answers show of events and of
    commands. `person_of` finds the person behind an actor.
    """
    store, log = event_store(engines.write), CommandLog(engines.write)
    vault = Vault(engines.write, personal_data_key, jobs.prefix, clock)
    registry.codec.opener = vault
    _key_digests(registry, personal_data_key)
    statistics, recorder = Statistics(engines.write, clock), Recorder(engines.write, clock)
    for name, engine in (("write", engines.write), ("read", engines.read), ("read", engines.query)):
        slow_statements.watch(engine, name, recorder)
    traces = TraceStore(engines.write, clock, lambda: recorder.process)
    tracer = Tracer(traces.add, export)
    engines.write.update_execution_options(**{APPENDED: partial(_trace_appended, tracer)})
    wake_ups = WakeUps(redis, jobs, registry.subscribers_of, store.place, tracer)
    tasks: dict[str, Dispatcher] = {}
    cache = QueryCache(cache_redis, tuning.cache_ttl, jobs.prefix)

    def advanced(name: str, events: int, ms: float, waited_ms: float) -> None:
        if name not in registry.subscriptions:
            return  # rows beside the live ones, which nobody sees
        write_through.advanced(name)
        statistics.count("projection", name, "applied", ms, events)
        statistics.count("visible", name, "applied", waited_ms)
        recorder.record("visible", (name,), waited_ms)
        recorder.record("applied", (name,), ms / events, events)
        appends = {each.__name__ for each in registry.subscriptions[name].appends}
        wake_ups.committed(appends)
        if follower:
            follower.committed_types(appends)
        for dispatcher in tasks.values():
            dispatcher.nudge()

    def served_late(name: str, seconds: float) -> None:
        statistics.count("age_served", name, "served", seconds * 1000)
        recorder.record("age_served", (name,), seconds)

    stores: dict[Store, Engine] = {"read": engines.read, "write": engines.write}
    runner = ProjectionRunner(
        registry.subscriptions,
        registry.codec,
        store,
        stores,
        batch=tuning.projection_batch,
        advanced=advanced,
        erased=cache.forget_all,
        clock=clock,
        tracer=tracer,
    )

    def updated(name: str) -> None:
        write_through.advanced(name)

    follower = follower_of(
        [
            each
            for each in registry.projections.values()
            if each.synchronous or each.name in synchronous
        ],
        runner,
        updated,
        write=engines.write,
        read=engines.read,
    )
    store.follower = follower
    control = GenerationControl(
        registry.subscriptions, registry.codec, store, vault, runner, stores, exchanged, clock
    )
    control.attach()
    comparison = Comparison(runner, engines.read)
    gauge = FreshnessGauge(
        store, runner.fits, amber=tuning.amber_lag, red=tuning.red_lag, clock=clock
    )
    command_bus = CommandBus(
        registry.routes,
        registry.codec,
        store,
        log,
        vault,
        commands,
        middleware=registry.middleware,
        consequences=registry.consequences,
        after_commit=wake_ups.committed,
        wake=wake_ups.command_queued,
        count=_counting(statistics, recorder, "command", "commands"),
        report=report,
        clock=clock,
        tracer=tracer,
        person_of=person_of,
    )
    query_log = QueryLog(engines.write, queries.log_share, clock)
    query_bus = QueryBus(
        registry.answers,
        registry.notation,
        Past(registry.aggregates, registry.projections, registry.notation, registry.codec, store),
        Repository(store, registry.codec),
        {"write": engines.write, "read": engines.read, "query": engines.query},
        store,
        runner,
        gauge,
        cache,
        vault,
        queries,
        count=_counting(statistics, recorder, "query", "queries"),
        served_late=served_late,
        log=query_log,
        tracer=tracer,
        rights=rights,
    )
    write_through = WriteThrough(query_bus.refresh, queries.write_through)
    kernel = Kernel(
        registry=registry,
        engines=engines,
        store=store,
        log=log,
        vault=vault,
        commands=command_bus,
        queries=query_bus,
        runner=runner,
        builder=Builder(runner, comparison, engines.read, store, registry.codec),
        comparison=comparison,
        cache=cache,
        write_through=write_through,
        query_log=query_log,
        statistics=statistics,
        recorder=recorder,
        tracer=tracer,
        traces=traces,
        roll_up=RollUp(engines.write, clock),
        wake_ups=wake_ups,
        tasks=tasks,
        presence=Presence(engines.write, clock),
        seals=Seals(
            engines.write,
            store,
            _derived(personal_data_key, b"seals"),
            settled=timedelta(seconds=commands.timeout) + CLOCK_TOLERANCE,
            clock=clock,
        ),
        reconciler=Reconciler(registry.projections, engines.read, store, registry.codec, clock),
        redis=redis,
        tuning=tuning,
        clock=clock,
        report=report,
    )

    def has_workers(kind: str) -> bool:
        with reader_of(engines.write).connect() as connection:
            return any(each.alive and each.kind == kind for each in seen(connection, clock()))

    for task in registry.tasks.values():
        waits = task.sends_commands and not command_bus.enabled
        tasks[task.name] = Dispatcher(
            task,
            wake_ups,
            due=list if waits else reporting(report, task.name, partial(task.due, kernel)),
            work=(lambda key: False)
            if waits
            else reporting(report, task.name, partial(task.work, kernel)),
            has_workers=has_workers,
        )
    return kernel


def _trace_appended(tracer: Tracer, changes: Sequence[Change]) -> None:
    """Make the spans of commands that a process manager records within its transaction."""
    for change in changes:
        entry = change.entry
        span = tracer.command(
            entry.type, entry.command_id, entry.correlation_id, entry.causation_id
        )
        if isinstance(span, LiveSpan):
            with span:
                span.note("cqrs.command.id", entry.command_id)
                span.note("cqrs.stream", entry.stream)
                tracer.published(change.events)


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose, hashlib.sha256)


def _key_digests(registry: Registry, personal_data_key: str) -> None:
    for projection in registry.projections.values():
        projection.digest_key = _derived(personal_data_key, b"digests")
