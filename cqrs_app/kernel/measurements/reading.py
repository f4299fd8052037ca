"""Reads measurements over a window of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from cqrs_app.kernel.measurements.rows import (
    KEPT,
    SLOT_SECONDS,
    Series,
    added_up,
    decoded,
    start_of,
)
from cqrs_app.kernel.store.tables import measurements

MOST_STEPS = 180

_COLUMNS = measurements.c


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in equal steps. `start` is that of its first step, `end` that after its
    last."""

    start: datetime
    end: datetime
    seconds: int

    @property
    def steps(self) -> Sequence[datetime]:
        step = timedelta(seconds=self.seconds)
        return [self.start + n * step for n in range((self.end - self.start) // step)]


def window(start: datetime, end: datetime, now: datetime) -> Window:
    """The finest steps of which rows are kept since `start`, at most MOST_STEPS."""
    span = (end - start).total_seconds()
    usable = [
        seconds
        for seconds, kept in KEPT.items()
        if span / seconds <= MOST_STEPS and start >= now - kept - timedelta(seconds=seconds)
    ]
    seconds = usable[0] if usable else max(KEPT)
    first, last = start_of(start, seconds), start_of(end - timedelta(microseconds=1), seconds)
    return Window(first, last + timedelta(seconds=seconds), seconds)


def read(
    connection: Connection, metrics: Collection[str], over: Window
) -> dict[str, dict[datetime, Series]]:
    """Metric -> start of a step -> its series. Steps without values are left out."""
    rows = _rows(connection, metrics, over.seconds, over.start, over.end)
    found: dict[str, dict[datetime, Series]] = {metric: {} for metric in metrics}
    for (metric, start), texts in rows.items():
        each = [decoded(text) for text in texts]
        found[metric][start] = each[0] if len(each) == 1 else added_up(each)
    return found


def latest(connection: Connection, metrics: Collection[str], now: datetime) -> dict[str, Series]:
    """Metric -> the values of the last minute, as far as they are written."""
    start = start_of(now, SLOT_SECONDS) - timedelta(seconds=60)
    rows = _rows(connection, metrics, SLOT_SECONDS, start, now)
    grouped: dict[str, list[Series]] = {metric: [] for metric in metrics}
    for (metric, _), texts in rows.items():
        grouped[metric] += map(decoded, texts)
    return {metric: added_up(many) for metric, many in grouped.items()}


def _rows(
    connection: Connection, metrics: Collection[str], seconds: int, start: datetime, end: datetime
) -> dict[tuple[str, datetime], list[str]]:
    found = select(_COLUMNS.metric, _COLUMNS.start, _COLUMNS.series).where(
        _COLUMNS.seconds == seconds,
        _COLUMNS.metric.in_(metrics),
        _COLUMNS.start >= start,
        _COLUMNS.start < end,
    )
    rows: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for metric, moment, text in connection.execute(found):
        rows[metric, moment].append(text)
    return rows
