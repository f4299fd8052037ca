"""The traces that the console keeps: collected in memory, written in the background."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.store.tables import traces
from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.tracing.spans import Span

PAUSE_SECONDS = 1.0
"""Between two rounds of writing."""
MOST_PENDING = 2_000
"""Spans in memory. More are dropped."""
KEPT = timedelta(days=7)
MOST_ROWS = 50_000
"""Rows that are kept; a trace has one or a few. The oldest are deleted."""
MOST_READ = 200

_decode = msgspec.json.Decoder(list[Span]).decode


class TraceStore:
    """One per process. `process` returns the kind of process."""

    def __init__(self, engine: Engine, clock: Clock, process: Callable[[], str]) -> None:
        self._engine = engine
        self._clock = clock
        self._process = process
        self._lock = threading.Lock()
        self._pending: dict[str, list[Span]] = {}
        self._count = 0
        self._background = Background("traces", self._write, PAUSE_SECONDS)

    def add(self, trace_id: str, spans: Sequence[Span]) -> None:
        """Write these spans soon; returns at once."""
        with self._lock:
            if self._count + len(spans) > MOST_PENDING:
                return
            self._count += len(spans)
            self._pending.setdefault(trace_id, []).extend(spans)
        self._background.nudge()

    def flush(self) -> None:
        """Write everything now."""
        self._background.run_now()

    def close(self) -> None:
        """Write what is pending. Called at the end of a process or a test."""
        self._background.close()

    def delete_old(self) -> None:
        """Delete what is older than KEPT, and the oldest rows beyond MOST_ROWS."""
        columns = traces.c
        with self._engine.begin() as connection:
            newest = connection.execute(select(func.max(columns.id))).scalar() or 0
            connection.execute(delete(traces).where(columns.id <= newest - MOST_ROWS))
            old = columns.recorded_at < self._clock() - KEPT
            connection.execute(delete(traces).where(old))

    def _write(self) -> None:
        with self._lock:
            pending, self._pending, self._count = self._pending, {}, 0
        if not pending:
            return
        rows = [
            {
                "trace_id": trace_id,
                "process": f"{self._process()} {os.getpid()}",
                "recorded_at": self._clock(),
                "spans": msgspec.json.encode(spans).decode(),
            }
            for trace_id, spans in pending.items()
        ]
        # If this fails they are lost: a trace is not worth memory during an outage.
        with self._engine.begin() as connection:
            connection.execute(insert(traces), rows)


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """A span with the process that made it."""

    span: Span
    process: str


def spans_of(connection: Connection, trace_id: str) -> list[StoredSpan]:
    """The spans of a trace that have been written, in order of their start."""
    found = (
        select(traces.c.process, traces.c.spans)
        .where(traces.c.trace_id == trace_id)
        .order_by(traces.c.id)
        .limit(MOST_READ)
    )
    spans = [
        StoredSpan(span, process)
        for process, text in connection.execute(found)
        for span in _decode(text)
    ]
    return sorted(spans, key=lambda each: each.span.started)
