"""Counts and durations per message type and time span, kept in the write store by all processes.

A span is a minute at first. Older rows are merged into longer spans, since pages and metrics read
every row, and a minute has hundreds of them.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, select

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.store.tables import statistics
from cqrs_app.kernel.subscriptions.background import Background

BOUNDS = (0.5, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 500, 1_000, 5_000, 30_000, 1e9)
"""Upper bounds of the duration buckets, in milliseconds."""

FLUSH_SECONDS = 2.0
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVER = timedelta(days=36_525)
PER_HOUR = 2 * DAY
FOLDED = ((timedelta(minutes=10), HOUR), (PER_HOUR, DAY), (31 * DAY, EVER))
"""Minimum age and span: counts older than that are kept per hour, per day, and as one total. They
are never deleted, so counters only rise."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Key = tuple[str, str, str, datetime, float]
Counts = defaultdict[Key, list[float]]
_COLUMNS = statistics.c


@dataclass(frozen=True, slots=True)
class Measured:
    """One message type over a time span. Percentiles are the upper bounds of their buckets."""

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
    """Counts in memory and writes every few seconds. A killed process loses what it has not
    written."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or utc_now
        self._lock = threading.Lock()
        self._counts: Counts = defaultdict(lambda: [0, 0.0])
        self._background = Background("statistics", self._write, FLUSH_SECONDS)

    def count(self, bus: str, name: str, result: str, ms: float, times: int = 1) -> None:
        """Count one outcome that took `ms` milliseconds, or `times` outcomes that took `ms` in
        total.

        Durations are rounded to 1/1024 ms. Sums of these are exact in any order, so that merging
        never lowers a counter.
        """
        ms = round(ms * 1024) / 1024
        minute = self._clock().replace(second=0, microsecond=0)
        bound = BOUNDS[bisect_left(BOUNDS, min(ms / times, BOUNDS[-1]))]
        with self._lock:
            _add(self._counts, (bus, name, result, minute, bound), times, ms)
        self._background.nudge()

    def close(self) -> None:
        """Write what is pending. Called at the end of a process or a test."""
        self._background.close()

    def flush(self) -> None:
        """Write all counts now."""
        self._background.run_now()

    def fold(self) -> None:
        """Merge old rows: see FOLDED."""
        for age, span in FOLDED:
            # Merge complete spans only. Otherwise a window that starts with a span would miss part
            # of it.
            limit = _start(self._clock() - age, min(span, DAY))
            old = select(_COLUMNS.minute).where(_COLUMNS.minute < limit).distinct()
            with reader_of(self._engine).connect() as connection:
                found = connection.execute(old).scalars().all()
            starts = {_start(each, span) for each in found if each != _start(each, span)}
            for start in sorted(starts):
                self._fold(start, min(start + span, limit))

    def _fold(self, start: datetime, end: datetime) -> None:
        inside = (_COLUMNS.minute > start) & (_COLUMNS.minute < end)
        taken = delete(statistics).where(inside).returning(statistics)
        with self._engine.begin() as connection:
            counts: Counts = defaultdict(lambda: [0, 0.0])
            for bus, name, result, _, bound, count, total in connection.execute(taken):
                _add(counts, (bus, name, result, start, bound), count, total)
            _save(connection, counts)

    def _write(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, defaultdict(lambda: [0, 0.0])
        try:
            with self._engine.begin() as connection:
                _save(connection, counts)
        except Exception:
            with self._lock:
                for key, (count, total_ms) in counts.items():
                    _add(self._counts, key, count, total_ms)
            raise


def _start(moment: datetime, span: timedelta) -> datetime:
    """The start of the span that contains the moment."""
    return EPOCH + (moment - EPOCH) // span * span


def _add(counts: Counts, key: Key, count: float, total_ms: float) -> None:
    counted = counts[key]
    counted[0] += count
    counted[1] += total_ms


def _save(connection: Connection, counts: Counts) -> None:
    """Add these counts to the stored ones."""
    if not counts:
        return
    insert = insert_into(connection, statistics)
    upsert = insert.on_conflict_do_update(
        index_elements=list(statistics.primary_key),
        set_={
            "count": _COLUMNS.count + insert.excluded.count,
            "total_ms": _COLUMNS.total_ms + insert.excluded.total_ms,
        },
    )
    # Sorted, so that two processes lock the rows in the same order.
    names = _COLUMNS.keys()
    rows = [dict(zip(names, (*key, *value), strict=True)) for key, value in sorted(counts.items())]
    connection.execute(upsert, rows)


def totals(bus: str) -> Select[Any]:
    """Select the totals of one bus: (name, result, bucket, count, total milliseconds)."""
    total, total_ms = func.sum(_COLUMNS.count), func.sum(_COLUMNS.total_ms)
    kind = (_COLUMNS.name, _COLUMNS.result, _COLUMNS.bound_ms)
    return select(*kind, total, total_ms).where(_COLUMNS.bus == bus).group_by(*kind)


def since(now: datetime, hours: int) -> datetime:
    """The time `hours` ago, rounded down to the hour, or to the day where counts are kept per
    day."""
    moment = now - timedelta(hours=hours)
    return _start(moment, HOUR if moment >= _start(now - PER_HOUR, DAY) else DAY)


def measured(connection: Connection, bus: str, start: datetime) -> list[Measured]:
    """The figures of each message type of one bus since `start`: see `since`."""
    found = totals(bus).where(_COLUMNS.minute >= start)
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
