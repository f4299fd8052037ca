"""Counts and times in memory, and writes one row per metric every few seconds."""

from __future__ import annotations

import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.measurements.distribution import Distribution
from cqrs_app.kernel.measurements.rows import SLOT_SECONDS, Labels, Series, save, start_of
from cqrs_app.kernel.subscriptions.background import Background

MOST_PENDING = timedelta(minutes=10)
"""While the store is away, what is older than this is given up."""

_SLOT = timedelta(seconds=SLOT_SECONDS)

Sample = tuple[str, Labels, float]
"""A metric, the values of its labels, and its value now."""


class Recorder:
    """One per process. `record` may be called at any rate, from any thread.

    A slot is written as often as it changes and replaced each time, so a process that is killed
    loses a few seconds. `sampled` is asked for values that nobody records, whenever a process that
    has recorded something writes; `process` is the kind of process, for those.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[int, dict[str, Series]] = {}
        self._source = (0, "")
        self._closing = False
        self._background = Background("measurements", self._write, SLOT_SECONDS)
        self.enabled = True
        self.process = "other"
        self.sampled: Callable[[], list[Sample]] = list

    def record(self, metric: str, labels: Labels, value: float, times: int = 1) -> None:
        """Record one value, or one that occurred several times."""
        if not self.enabled:
            return
        slot = int(self._clock().timestamp()) // SLOT_SECONDS
        with self._lock:
            metrics = self._slots.get(slot)
            if metrics is None:
                metrics = self._slots[slot] = defaultdict(dict)
            series = metrics[metric]
            found = series.get(labels)
            if found is None:
                found = series[labels] = Distribution()
            found.add(value, times)
        self._background.nudge()

    def flush(self) -> None:
        """Write everything now."""
        self._background.run_now()

    def close(self) -> None:
        """Write what is pending. Called at the end of a process or a test, or before it forks."""
        self._closing = True
        self._background.close()
        self._closing = False

    def _write(self) -> None:
        with self._lock:
            if not self._slots:
                return
        for sample in self.sampled():
            self.record(*sample)
        now = start_of(self._clock(), SLOT_SECONDS)
        with self._lock:
            # Encoded below, outside of the lock: copies, since others go on recording.
            slots = {
                (datetime.fromtimestamp(slot * SLOT_SECONDS, UTC), metric): _copied(series)
                for slot, metrics in self._slots.items()
                for metric, series in metrics.items()
            }
        try:
            with self._engine.begin() as connection:
                save(connection, SLOT_SECONDS, self._own_source(), slots)
        except Exception:
            self._forget(now - MOST_PENDING)
            raise
        # Processes that are forked after closing must not write it again.
        self._forget(self._clock() + _SLOT if self._closing else now)

    def _forget(self, before: datetime) -> None:
        """Forget the slots that began before a moment. If one is left, it is written later."""
        first = int(before.timestamp()) // SLOT_SECONDS
        with self._lock:
            self._slots = {slot: each for slot, each in self._slots.items() if slot >= first}
            left = bool(self._slots)
        if left and not self._closing:
            self._background.nudge()

    def _own_source(self) -> str:
        """A name for this process. A forked one gets its own."""
        if self._source[0] != os.getpid():
            self._source = (os.getpid(), secrets.token_hex(6))
        return self._source[1]


def _copied(series: Series) -> Series:
    return {
        labels: Distribution(each.count, each.total, each.largest, dict(each.buckets))
        for labels, each in series.items()
    }
