"""Counts and durations per message type and minute, kept in the read store for all processes."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, select

from cqrs_app.kernel.background import Background
from cqrs_app.kernel.databases import insert_into
from cqrs_app.kernel.tables import statistics

BOUNDS = (0.5, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 500, 1_000, 5_000, 30_000, 1e9)
"""Upper bounds of the duration buckets, in milliseconds."""

FLUSH_SECONDS = 2.0
KEPT = timedelta(days=31)

Key = tuple[str, str, str, datetime, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One message type over a span of time. Percentiles are the upper bound of their bucket."""

    bus: str
    name: str
    results: dict[str, int]
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def count(self) -> int:
        return sum(self.results.values())


class Statistics:
    """Counts in memory, written every few seconds; a killed process loses the last of them."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] | None = None) -> None:
        self._engine = engine
        self._clock = clock or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self._counts: dict[Key, list[float]] = defaultdict(lambda: [0, 0.0])
        self._background = Background("statistics", self._write, FLUSH_SECONDS)

    def count(self, bus: str, name: str, result: str, ms: float, times: int = 1) -> None:
        """One outcome that took `ms` milliseconds, or `times` of them that took `ms` together."""
        minute = self._clock().replace(second=0, microsecond=0)
        bound = BOUNDS[bisect_left(BOUNDS, min(ms / times, BOUNDS[-1]))]
        with self._lock:
            counted = self._counts[bus, name, result, minute, bound]
            counted[0] += times
            counted[1] += ms
        self._background.nudge()

    def close(self) -> None:
        """Do what still waits; called when the process, or a test, is done."""
        self._background.close()

    def flush(self) -> None:
        """Write what was counted so far."""
        self._background.run_now()

    def forget_old(self) -> None:
        with self._engine.begin() as connection:
            old = statistics.c.minute < self._clock() - KEPT
            connection.execute(delete(statistics).where(old))

    def _write(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, defaultdict(lambda: [0, 0.0])
        if not counts:
            return
        insert = insert_into(self._engine, statistics)
        upsert = insert.on_conflict_do_update(
            index_elements=["bus", "name", "result", "minute", "bound_ms"],
            set_={
                "count": statistics.c.count + insert.excluded.count,
                "total_ms": statistics.c.total_ms + insert.excluded.total_ms,
            },
        )
        names = ("bus", "name", "result", "minute", "bound_ms", "count", "total_ms")
        # Sorted, so that two processes lock the rows in the same order.
        rows = [
            dict(zip(names, (*key, *value), strict=True)) for key, value in sorted(counts.items())
        ]
        with self._engine.begin() as connection:
            connection.execute(upsert, rows)


def measured(connection: Connection, bus: str, since: datetime) -> list[Measured]:
    """What each message type of one bus did since a moment."""
    columns = statistics.c
    found = (
        select(
            columns.name,
            columns.result,
            columns.bound_ms,
            func.sum(columns.count),
            func.sum(columns.total_ms),
        )
        .where(columns.bus == bus, columns.minute >= since)
        .group_by(columns.name, columns.result, columns.bound_ms)
    )
    grouped: dict[str, list[tuple[str, float, int, float]]] = defaultdict(list)
    for name, result, bound, count, total in connection.execute(found):
        grouped[name].append((result, bound, int(count), total))
    return [_measured(bus, name, rows) for name, rows in sorted(grouped.items())]


def _measured(bus: str, name: str, rows: Iterable[tuple[str, float, int, float]]) -> Measured:
    results: dict[str, int] = defaultdict(int)
    buckets: dict[float, int] = defaultdict(int)
    total = 0.0
    for result, bound, count, total_ms in rows:
        results[result] += count
        buckets[bound] += count
        total += total_ms
    everything = sum(results.values())
    at = [_percentile(buckets, everything, share) for share in (0.5, 0.95, 0.99)]
    return Measured(bus, name, dict(results), total / max(everything, 1), *at)


def _percentile(buckets: dict[float, int], everything: int, share: float) -> float:
    seen = 0
    for bound, count in sorted(buckets.items()):
        seen += count
        if seen >= everything * share:
            return bound
    return 0.0
