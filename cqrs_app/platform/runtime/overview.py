"""The console at a glance: parts, problems, statistics, subscriptions, what takes longest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.reading import latest, window
from cqrs_app.kernel.store.deadlines import answered_within
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.presence import Process
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.health import STORE_SECONDS
from cqrs_app.platform.runtime.problems import Follower, Problem, followers_of, problems
from cqrs_app.platform.runtime.statistics.catalogue import RELEASE, STATISTICS
from cqrs_app.platform.runtime.statistics.history import now_values, slowest_in

LATELY = timedelta(minutes=5)
MOST_SLOW = 20
KINDS: Mapping[str, str] = {
    "commands": "action",
    "queries": "query",
    "requests": "page",
    "applied": "update",
}
"""Metric -> what takes the time."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription; `lag_seconds` is the age of the oldest event that it has not applied."""

    name: str
    state: str
    position: int
    lag_events: int
    lag_seconds: float
    parked: int


@dataclass(frozen=True, slots=True)
class Slow:
    """What LATELY took the most time, in milliseconds."""

    kind: str
    name: str
    count: int
    mean: float
    p95: float
    total: float


@dataclass(frozen=True, slots=True)
class Overview:
    """`statistics` are those of the catalogue over the last minute. What is in the write store is
    empty while it is down."""

    at: datetime
    releases: tuple[str, ...]
    parts: Mapping[str, bool]
    problems: tuple[Problem, ...]
    statistics: Mapping[str, float | None]
    processes: tuple[Process, ...]
    slowest: tuple[Slow, ...]
    subscriptions: tuple[Subscribed, ...]


def overview(kernel: Kernel) -> Overview:
    """Subscriptions are listed with the furthest behind first."""
    state, now = health.look(kernel), kernel.clock()
    parts = {part: bool(getattr(state, part)) for part in ("write_store", "read_store", "redis")}
    found = tuple(problems(kernel, state))
    if not state.write_store:
        return Overview(now, (), parts, found, {}, (), (), ())
    with answered_within(STORE_SECONDS), reader_of(kernel.engines.write).connect() as connection:
        subscribed = [_subscribed(each, now) for each in followers_of(kernel, state)]
        return Overview(
            at=now,
            releases=tuple(
                sorted(name for (name,) in latest(connection, (RELEASE,), now)[RELEASE])
            ),
            parts=parts,
            problems=found,
            statistics=now_values(connection, STATISTICS.values(), now),
            processes=tuple(presence.seen(connection, now)),
            slowest=tuple(sorted(_slow(connection, now), key=lambda each: -each.total)[:MOST_SLOW]),
            subscriptions=tuple(sorted(subscribed, key=_worst_first)),
        )


def _worst_first(each: Subscribed) -> tuple[bool, bool, float, int, str]:
    behind = (-each.lag_seconds, -each.lag_events)
    return (each.state == "running", not each.parked, *behind, each.name)


def _subscribed(each: Follower, now: datetime) -> Subscribed:
    waiting = each.waiting_since
    return Subscribed(
        name=each.cursor.subscription,
        state=each.cursor.state,
        position=each.cursor.position,
        lag_events=each.lag_events,
        lag_seconds=max((now - waiting).total_seconds(), 0.0) if waiting else 0.0,
        parked=each.cursor.parked,
    )


def _slow(connection: Connection, now: datetime) -> Iterator[Slow]:
    over = window(now - LATELY, now, now)
    for metric, kind in KINDS.items():
        for top in slowest_in(connection, metric, over)[:MOST_SLOW]:
            yield Slow(kind, top.labels[0], top.count, top.mean, top.p95, top.total)
