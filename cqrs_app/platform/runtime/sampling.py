"""Samples what no process records: how far subscriptions are behind, queues, memory, sizes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import Engine, func, select, text

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.recorder import Recorder, Sample
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.health import STORE_SECONDS, Health
from cqrs_app.platform.runtime.problems import problems

SAMPLE_SECONDS = 10.0

_MEMORY = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SQLITE_SIZE = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
_POSTGRESQL_SIZE = text("SELECT pg_database_size(current_database())")
_UNFINISHED = command_log.c.outcome.in_(("queued", "running"))


def of_this_process(recorder: Recorder, release: str) -> list[Sample]:
    """What each process samples of itself."""
    found: list[Sample] = [("release", (release,), 1.0)]
    if _MEMORY.exists():
        resident = int(_MEMORY.read_text().split()[1])
        found.append(("memory", (recorder.process,), float(resident * _PAGE)))
    return found


def sample(kernel: Kernel) -> None:
    """Record the state of the console, as far as its parts answer."""
    state = health.look(kernel)
    for each in problems(kernel, state):
        kernel.recorder.record("problems", (each.kind,), 1.0)
    with answered_within(STORE_SECONDS):
        for metric, labels, value in _samples(kernel, state):
            kernel.recorder.record(metric, labels, value)


def _samples(kernel: Kernel, state: Health) -> Iterator[Sample]:
    for part in ("write_store", "read_store", "redis"):
        yield "down", (part,), float(not getattr(state, part))
    if state.write_store:
        yield from _processes(kernel)
        yield from _subscriptions(kernel, ("read", "write") if state.read_store else ("write",))
        waiting = select(func.count()).select_from(command_log).where(_UNFINISHED)
        with reader_of(kernel.engines.write).connect() as connection:
            yield "commands_waiting", (), float(connection.execute(waiting).scalar_one())
        yield "database_size", ("write",), _size(kernel.engines.write)
    if state.read_store:
        yield "database_size", ("read",), _size(kernel.engines.query)
    if state.redis:
        yield from _redis(kernel)


def _processes(kernel: Kernel) -> Iterator[Sample]:
    with reader_of(kernel.engines.write).connect() as connection:
        seen = presence.seen(connection, kernel.clock())
    counts = dict.fromkeys((*kernel.registry.workers(), presence.SWEEP), 0)
    for each in seen:
        counts[each.kind] = counts.get(each.kind, 0) + each.alive
    for kind, count in counts.items():
        yield "processes", (kind,), float(count)


def _subscriptions(kernel: Kernel, stores: tuple[Store, ...]) -> Iterator[Sample]:
    cursors = kernel.runner.cursors(*stores)
    head, now = kernel.store.head(), kernel.clock()
    yield "log_position", (), float(head)
    for name, each in cursors.items():
        lag = max(head - each.position, 0)
        oldest = kernel.store.recorded_after(each.position) if lag else None
        seconds = (now - oldest).total_seconds() if oldest else 0.0
        yield "lag_events", (name,), float(lag)
        yield "lag_seconds", (name,), seconds
        yield "parked", (name,), float(each.parked)
        yield "stopped", (name,), float(each.state in ("failed", "paused"))


def _redis(kernel: Kernel) -> Iterator[Sample]:
    try:
        for kind in kernel.registry.workers():
            yield "jobs_waiting", (kind,), float(kernel.wake_ups.queue(kind).count)
        memory = kernel.redis.info("memory")
        yield "memory", ("Redis",), float(memory["used_memory_rss"])
    except RedisError:
        # It went away in between; the next sample says so.
        return


def _size(engine: Engine) -> float:
    statement = _SQLITE_SIZE if engine.dialect.name == "sqlite" else _POSTGRESQL_SIZE
    with reader_of(engine).connect() as connection:
        return float(connection.execute(statement).scalar_one())
