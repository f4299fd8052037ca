"""Adds up rows of measurements into rows of longer slots, and deletes what has become old."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Engine, delete, select

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.measurements.rows import KEPT, Series, added_up, decoded, save, start_of
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import measurements

SUM = ""
"""The source of rows that were added up from those of all processes."""

_COLUMNS = measurements.c


class RollUp:
    """Any number may run at once: each writes the same rows, made from the finer ones anew."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._earlier: tuple[datetime, datetime] | None = None

    def __call__(self) -> None:
        """Add up the slots that may have changed since the last time but one: a process may have
        written while the last one ran."""
        now = self._clock()
        before = self._earlier or (now - min(KEPT.values()),) * 2
        for finer, coarser in pairwise(KEPT):
            # Of a slot that began earlier, some of the finer rows are gone.
            whole = start_of(now - KEPT[finer], coarser) + timedelta(seconds=coarser)
            start = max(start_of(before[0] - timedelta(seconds=finer), coarser), whole)
            sums = dict(self._sums(finer, coarser, start))
            if sums:
                with self._engine.begin() as connection:
                    save(connection, coarser, SUM, sums)
        self._earlier = (before[1], now)

    def delete_old(self) -> None:
        """Delete a tenth later than promised, so that no roll-up misses a row."""
        now = self._clock()
        with self._engine.begin() as connection:
            for seconds, kept in KEPT.items():
                old = (_COLUMNS.seconds == seconds) & (_COLUMNS.start < now - 1.1 * kept)
                connection.execute(delete(measurements).where(old))

    def _sums(
        self, finer: int, coarser: int, start: datetime
    ) -> Iterator[tuple[tuple[datetime, str], Series]]:
        found = select(_COLUMNS.metric, _COLUMNS.start, _COLUMNS.series).where(
            _COLUMNS.seconds == finer, _COLUMNS.start >= start
        )
        grouped: dict[tuple[datetime, str], list[str]] = defaultdict(list)
        with reader_of(self._engine).connect() as connection:
            for metric, moment, text in connection.execute(found):
                grouped[start_of(moment, coarser), metric].append(text)
        for slot, texts in grouped.items():
            yield slot, added_up(map(decoded, texts))
