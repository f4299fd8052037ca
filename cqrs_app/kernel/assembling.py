"""Assembles the kernel from a registry, three engines and Redis."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property, partial

from redis import Redis
from sqlalchemy import Engine

from cqrs_app.kernel.assembly import Engines, Kernel, Tuning
from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import ActorNow
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.commands.middleware import Count
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.commands.performer import PersonOf
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.measurements import slow_statements
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.measurements.traces import TraceStore
from cqrs_app.kernel.privacy.data_keys import DIGESTS, SEALS
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections.building import Builder
from cqrs_app.kernel.projections.comparison import Comparison
from cqrs_app.kernel.projections.generation_control import Exchanged, GenerationControl
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.projections.synchronous import SynchronousProjections, follower_of
from cqrs_app.kernel.queries.bus import QueryBus, QueryOptions
from cqrs_app.kernel.queries.cache import QueryCache
from cqrs_app.kernel.queries.freshness import FreshnessGauge
from cqrs_app.kernel.queries.log import QueryLog
from cqrs_app.kernel.queries.past import Past
from cqrs_app.kernel.queries.readers import ReadingRights
from cqrs_app.kernel.queries.write_through import WriteThrough
from cqrs_app.kernel.reconciliation.reconciler import Reconciler
from cqrs_app.kernel.reconciliation.records import record
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.reporting import Reporter, reporting, unreported
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.store import Change, EventStore, event_store
from cqrs_app.kernel.store.base import APPENDED
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.kernel.subscriptions.presence import Presence, seen
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import Jobs, WakeUps
from cqrs_app.kernel.tracing.live import LiveSpan
from cqrs_app.kernel.tracing.tracer import Finished, Tracer
from cqrs_app.kernel.verification.seals import Seals


@dataclass
class Assembly:
    """The parts of a kernel; each is made when the first other part asks for it. Opens no
    connection.

    Background tasks look for due work whenever a subscription of their area has advanced. `vault`
    holds the keys of personal data, and those that sign seals and key the digests of rows.
    `exchanged` is called in the transaction of a swap: see projections/generation_control.py.
    The projections named in `synchronous` are so, and those that declare it; raises NotOneDatabase
    where they cannot be (see projections/synchronous.py). Unexpected exceptions go to `report`, and
    spans to `export` if they are sent elsewhere. `rights`: what answers show of events and of
    commands. `person_of` finds the person behind an actor, `actor_now` what it may do now.
    """

    registry: Registry
    engines: Engines
    _: KW_ONLY
    redis: Redis
    cache_redis: Redis
    vault: Vault
    jobs: Jobs
    commands: BusOptions = field(default_factory=BusOptions)
    queries: QueryOptions = field(default_factory=QueryOptions)
    tuning: Tuning = field(default_factory=Tuning)
    synchronous: Collection[str] = ()
    exchanged: Exchanged = lambda connection, tables: None
    clock: Clock = utc_now
    report: Reporter = unreported
    export: Finished | None = None
    rights: ReadingRights | None = None
    person_of: PersonOf = str
    actor_now: ActorNow = lambda actor: actor
    tasks: dict[str, Dispatcher] = field(default_factory=dict, init=False)

    def kernel(self) -> Kernel:
        """The kernel of these parts."""
        self._connect()
        kernel = Kernel(
            registry=self.registry,
            engines=self.engines,
            store=self.store,
            log=self.log,
            vault=self.vault,
            commands=self.command_bus,
            queries=self.query_bus,
            runner=self.runner,
            builder=self.builder,
            comparison=self.comparison,
            cache=self.cache,
            write_through=self.write_through,
            query_log=self.query_log,
            statistics=self.statistics,
            recorder=self.recorder,
            tracer=self.tracer,
            traces=self.traces,
            roll_up=RollUp(self.engines.write, self.clock),
            wake_ups=self.wake_ups,
            tasks=self.tasks,
            presence=Presence(self.engines.write, self.clock),
            seals=self.seals,
            reconciler=self.reconciler,
            redis=self.redis,
            tuning=self.tuning,
            clock=self.clock,
            report=self.report,
        )
        for task in self.registry.tasks.values():
            self.tasks[task.name] = self._dispatcher(task, kernel)
        return kernel

    def _connect(self) -> None:
        """Tell parts of each other that do not ask for it."""
        write, read, query = self.engines.write, self.engines.read, self.engines.query
        self.registry.codec.opener = self.vault
        for projection in self.registry.projections.values():
            projection.digest_key_of = partial(self.vault.data_keys.of, DIGESTS)
        for name, engine in (("write", write), ("read", read), ("read", query)):
            slow_statements.watch(engine, name, self.recorder)
        write.update_execution_options(**{APPENDED: partial(_trace_appended, self.tracer)})
        self.store.follower = self.follower
        self.generations.attach()

    @cached_property
    def store(self) -> EventStore:
        return event_store(self.engines.write)

    @cached_property
    def stores(self) -> dict[Store, Engine]:
        return {"read": self.engines.read, "write": self.engines.write}

    @cached_property
    def log(self) -> CommandLog:
        return CommandLog(self.engines.write)

    @cached_property
    def seals(self) -> Seals:
        return Seals(self.engines.write, self.store, partial(self.vault.data_keys.of, SEALS))

    @cached_property
    def statistics(self) -> Statistics:
        return Statistics(self.engines.write, self.clock)

    @cached_property
    def recorder(self) -> Recorder:
        return Recorder(self.engines.write, self.clock)

    @cached_property
    def traces(self) -> TraceStore:
        return TraceStore(self.engines.write, self.clock, lambda: self.recorder.process)

    @cached_property
    def tracer(self) -> Tracer:
        return Tracer(self.traces.add, self.export)

    @cached_property
    def wake_ups(self) -> WakeUps:
        return WakeUps(
            self.redis, self.jobs, self.registry.subscribers_of, self.store.place, self.tracer
        )

    @cached_property
    def cache(self) -> QueryCache:
        return QueryCache(self.cache_redis, self.tuning.cache_ttl, self.jobs.prefix)

    @cached_property
    def runner(self) -> ProjectionRunner:
        return ProjectionRunner(
            self.registry.subscriptions,
            self.registry.codec,
            self.store,
            self.stores,
            batch=self.tuning.projection_batch,
            advanced=self._advanced,
            erased=self.cache.forget_all,
            clock=self.clock,
            tracer=self.tracer,
        )

    @cached_property
    def follower(self) -> SynchronousProjections | None:
        projections = [
            each
            for each in self.registry.projections.values()
            if each.synchronous or each.name in self.synchronous
        ]
        return follower_of(
            projections,
            self.runner,
            self._updated,
            write=self.engines.write,
            read=self.engines.read,
        )

    @cached_property
    def generations(self) -> GenerationControl:
        return GenerationControl(
            self.registry.subscriptions,
            self.registry.codec,
            self.store,
            self.vault,
            self.runner,
            self.stores,
            self.exchanged,
            partial(record, repair=""),
            self.clock,
        )

    @cached_property
    def comparison(self) -> Comparison:
        return Comparison(self.runner, self.engines.read)

    @cached_property
    def builder(self) -> Builder:
        codec = self.registry.codec
        return Builder(self.runner, self.comparison, self.engines.read, self.store, codec)

    @cached_property
    def reconciler(self) -> Reconciler:
        registry = self.registry
        return Reconciler(
            registry.projections, self.engines.read, self.store, registry.codec, self.clock
        )

    @cached_property
    def command_bus(self) -> CommandBus:
        return CommandBus(
            self.registry.routes,
            self.registry.codec,
            self.store,
            self.log,
            self.vault,
            self.commands,
            middleware=self.registry.middleware,
            consequences=self.registry.consequences,
            after_commit=self.wake_ups.committed,
            wake=self.wake_ups.command_queued,
            count=self._counting("command", "commands"),
            report=self.report,
            clock=self.clock,
            tracer=self.tracer,
            person_of=self.person_of,
            actor_now=self.actor_now,
        )

    @cached_property
    def query_log(self) -> QueryLog:
        return QueryLog(self.engines.write, self.queries.log_share, self.clock)

    @cached_property
    def write_through(self) -> WriteThrough:
        return WriteThrough(self.query_bus.refresh, self.queries.write_through)

    @cached_property
    def query_bus(self) -> QueryBus:
        registry, engines, tuning = self.registry, self.engines, self.tuning
        gauge = FreshnessGauge(
            self.store,
            self.runner.fits,
            amber=tuning.amber_lag,
            red=tuning.red_lag,
            clock=self.clock,
        )
        past = Past(
            registry.aggregates, registry.projections, registry.notation, registry.codec, self.store
        )
        return QueryBus(
            registry.answers,
            registry.notation,
            past,
            Repository(self.store, registry.codec),
            {"write": engines.write, "read": engines.read, "query": engines.query},
            self.store,
            self.runner,
            gauge,
            self.cache,
            self.vault,
            self.queries,
            count=self._counting("query", "queries"),
            served_late=self._served_late,
            log=self.query_log,
            tracer=self.tracer,
            rights=self.rights,
        )

    def _dispatcher(self, task: BackgroundTask, kernel: Kernel) -> Dispatcher:
        due, work = partial(task.due, kernel), partial(task.work, kernel)
        waits = task.sends_commands and not self.command_bus.enabled
        return Dispatcher(
            task,
            self.wake_ups,
            due=list if waits else reporting(self.report, task.name, due),
            work=(lambda key: False) if waits else reporting(self.report, task.name, work),
            has_workers=self._has_workers,
        )

    def _has_workers(self, kind: str) -> bool:
        with reader_of(self.engines.write).connect() as connection:
            return any(each.alive and each.kind == kind for each in seen(connection, self.clock()))

    def _advanced(self, name: str, events: int, ms: float, waited_ms: float) -> None:
        """A subscription has advanced by so many events."""
        if name not in self.registry.subscriptions:
            return  # rows beside the live ones, which nobody sees
        self.write_through.advanced(name)
        self.statistics.count("projection", name, "applied", ms, events)
        self.statistics.count("visible", name, "applied", waited_ms)
        self.recorder.record("visible", (name,), waited_ms)
        self.recorder.record("applied", (name,), ms / events, events)
        appends = {each.__name__ for each in self.registry.subscriptions[name].appends}
        self.wake_ups.committed(appends)
        if self.follower:
            self.follower.committed_types(appends)
        for dispatcher in self._tasks_beside[name]:
            dispatcher.nudge()

    @cached_property
    def _tasks_beside(self) -> dict[str, list[Dispatcher]]:
        """Subscription -> the tasks of its area, for which it may have written due work."""
        return {
            subscription.name: [self.tasks[task.name] for task in area.tasks]
            for area in self.registry.areas
            for subscription in (*area.projections, *area.subscriptions)
        }

    def _updated(self, name: str) -> None:
        # Asked for only now: write-through needs the query bus, which needs the runner.
        self.write_through.advanced(name)

    def _served_late(self, name: str, seconds: float) -> None:
        self.statistics.count("age_served", name, "served", seconds * 1000)
        self.recorder.record("age_served", (name,), seconds)

    def _counting(self, bus: str, metric: str) -> Count:
        def count(name: str, result: str, ms: float, error: str = "") -> None:
            self.statistics.count(bus, name, result, ms)
            self.recorder.record(metric, (name, result), ms)
            if error:
                self.recorder.record("errors", (bus, name, result, error), 1)

        return count


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
