"""The kernel: everything that carries out commands, advances projections and answers queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.measurements.traces import TraceStore
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections.building import Builder
from cqrs_app.kernel.projections.comparison import Comparison
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.queries.bus import QueryBus
from cqrs_app.kernel.queries.cache import QueryCache
from cqrs_app.kernel.queries.log import QueryLog
from cqrs_app.kernel.queries.write_through import WriteThrough
from cqrs_app.kernel.reconciliation.reconciler import Reconciler
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.reporting import Reporter
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.kernel.subscriptions.presence import Presence
from cqrs_app.kernel.subscriptions.wake_ups import WakeUps
from cqrs_app.kernel.tracing.tracer import Tracer
from cqrs_app.kernel.verification.logs import verify_logs
from cqrs_app.kernel.verification.seals import LogName, Seal, Seals
from cqrs_app.kernel.verification.streams import Report, StreamVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """`write` and `read` are the stores; `query` reads the read store or a replica of it."""

    write: Engine
    read: Engine
    query: Engine

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        for engine in (self.write, self.read, self.query):
            engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Events per batch, lag in seconds, cache lifetime in seconds."""

    projection_batch: int = 1_000
    amber_lag: float = 5.0
    red_lag: float = 60.0
    cache_ttl: int = 60


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
    clock: Clock
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
        # What is closed is nudged by nothing that is closed after it: that would start it again.
        for dispatcher in self.tasks.values():
            dispatcher.close()
        self.wake_ups.close()
        self.write_through.close()
        self.query_log.close()
        self.traces.close()
        self.statistics.close()
        self.recorder.close()
