"""Whether the console can do its work: for load balancers, banners, alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redis.exceptions import RedisError
from rq.registry import FailedJobRegistry
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.projections import checkpoints
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import streams
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.doorbell import queue_on


@dataclass(frozen=True, slots=True)
class Health:
    """What works. Counts are None where the part that knows them is away."""

    write_store: bool
    read_store: bool
    redis: bool
    workers: int
    sweeps: int
    waiting_jobs: int | None
    failed_jobs: int | None

    def missing(self) -> list[str]:
        """The parts that are not there, in words; empty when all is well."""
        parts = {
            "the write store": self.write_store,
            "the read store": self.read_store,
            "a worker": self.workers > 0,
            "the sweep": self.sweeps > 0,
        }
        return [name for name, there in parts.items() if not there]


def look(kernel: Kernel) -> Health:
    """Ask every part; never raises."""
    write_store, processes = True, []
    try:
        # Without a transaction: nobody who looks waits for a writer, or holds one up.
        with reader_of(kernel.engines.write).connect() as connection:
            connection.execute(select(streams.c.stream).limit(1))
            processes = presence.seen(connection, kernel.clock())
    except SQLAlchemyError:
        write_store = False
    waiting, failed = _jobs(kernel)
    return Health(
        write_store=write_store,
        read_store=_read_store(kernel),
        redis=waiting is not None,
        workers=sum(each.alive for each in processes if each.kind == "worker"),
        sweeps=sum(each.alive for each in processes if each.kind == "sweep"),
        waiting_jobs=waiting,
        failed_jobs=failed,
    )


def banners(health: Health) -> Iterator[tuple[str, str]]:
    """What an operator should know of parts that are away: (level, sentence)."""
    if not health.read_store:
        yield "bad", "The read store does not answer: lists and figures cannot be shown."
    if not health.write_store:
        yield "bad", "The write store does not answer: tasks cannot be accepted."
        return
    if not health.redis:
        yield (
            "warn",
            "Redis is away: tasks work and are kept; pages follow a second or two later.",
        )
    if not health.workers and not health.sweeps:
        yield (
            "bad",
            (
                "No worker and no sweep is running: tasks are accepted and kept, but pages do "
                "not show them until one is started."
            ),
        )
    elif not health.workers:
        yield "warn", "No worker is running: the sweep does the work, a second or two later."
    elif not health.sweeps:
        yield "warn", "The sweep is not running: a wake-up that gets lost is not noticed."


def _read_store(kernel: Kernel) -> bool:
    try:
        with kernel.engines.query.connect() as connection:
            checkpoints.read(connection, ())
    except SQLAlchemyError:
        return False
    return True


def _jobs(kernel: Kernel) -> tuple[int | None, int | None]:
    try:
        queue = queue_on(kernel.redis)
        return queue.count, FailedJobRegistry(queue=queue).count
    except RedisError:
        return None, None
