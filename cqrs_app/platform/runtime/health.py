"""Whether the console can do its work, for load balancers, banners and alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from redis.exceptions import RedisError
from rq.registry import FailedJobRegistry
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections.generation import SUFFIX
from cqrs_app.kernel.queries.side_by_side import side_by_side
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import streams
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.kernel.subscriptions.presence import Process
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.kernel.subscriptions.tasks import WORKER

STORE_SECONDS = 2.0
"""How long the stores may take to answer."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of each part. `stopped` are the subscriptions that cannot continue by themselves,
    `paused` those that a person has paused. Counts are None if the part that knows them is down."""

    write_store: bool
    read_store: bool
    redis: bool
    workers: int
    sweeps: int
    stopped: tuple[str, ...]
    paused: tuple[str, ...]
    waiting_jobs: int | None
    failed_jobs: int | None

    def missing(self) -> list[str]:
        """The parts that are down or have stopped, in words; empty if all is well."""
        parts = {
            "the write store": self.write_store,
            "the read store": self.read_store,
            "a worker": self.workers > 0,
            "the sweep": self.sweeps > 0,
        }
        stopped = [f"{name}, which has stopped" for name in self.stopped]
        return [name for name, there in parts.items() if not there] + stopped


def look(kernel: Kernel) -> Health:
    """Check every part. Never raises, and answers within a few seconds."""
    with answered_within(STORE_SECONDS):
        stores = side_by_side([partial(_written, kernel), partial(_read, kernel)], 2)
    (write_store, written, processes), (read_store, read, _) = stores
    states = read | written
    waiting, failed = _jobs(kernel)
    return Health(
        write_store=write_store,
        read_store=read_store,
        redis=waiting is not None,
        workers=sum(each.alive for each in processes if each.kind == WORKER),
        sweeps=sum(each.alive for each in processes if each.kind == presence.SWEEP),
        stopped=tuple(name for name, state in states.items() if state == "failed"),
        paused=tuple(name for name, state in states.items() if state == "paused"),
        waiting_jobs=waiting,
        failed_jobs=failed,
    )


Found = tuple[bool, dict[str, str], list[Process]]
"""Whether a store answers, the states of its subscriptions, and the processes that it knows."""


def _written(kernel: Kernel) -> Found:
    try:
        # Without a transaction, so that the check neither waits for a writer nor blocks one.
        with reader_of(kernel.engines.write).connect() as connection:
            connection.execute(select(streams.c.stream).limit(1))
            processes = presence.seen(connection, kernel.clock())
            return True, _states(connection, "write"), processes
    except SQLAlchemyError:
        return False, {}, []


def _read(kernel: Kernel) -> Found:
    try:
        with kernel.engines.query.connect() as connection:
            return True, _states(connection, "read"), []
    except SQLAlchemyError:
        return False, {}, []


def banners(health: Health) -> Iterator[tuple[str, str]]:
    """What operators should know about parts that are down: (level, sentence)."""
    if not health.read_store:
        yield "bad", "The read store is down. Lists and figures are unavailable."
    if not health.write_store:
        yield "bad", "The write store is down. No changes can be saved."
        return
    if health.stopped:
        names = ", ".join(health.stopped)
        yield "bad", f"Some pages show old data: {names} stopped. See System for what to do."
    if health.paused:
        names = ", ".join(health.paused)
        yield "warn", f"Updates are paused: {names}. Some pages show old data until resumed."
    if not health.redis:
        yield (
            "warn",
            "Redis is down. Your changes are saved; pages may lag.",
        )
    if not health.workers and not health.sweeps:
        yield (
            "bad",
            (
                "Background workers and the sweep are down. Your changes are saved, but pages "
                "will not show them until one is started."
            ),
        )
    elif not health.workers:
        yield "warn", "Background workers are down. Updates may take longer."
    elif not health.sweeps:
        yield "warn", "The sweep is down. Some updates may take longer."


def _states(connection: Connection, store: Store) -> dict[str, str]:
    """Subscription -> state, for those of this store."""
    found = cursors_in(store).all(connection)
    return {name: each.state for each in found if not (name := each.subscription).endswith(SUFFIX)}


def _jobs(kernel: Kernel) -> tuple[int | None, int | None]:
    try:
        queue = kernel.wake_ups.queue()
        return queue.count, FailedJobRegistry(queue=queue).count
    except RedisError:
        return None, None
