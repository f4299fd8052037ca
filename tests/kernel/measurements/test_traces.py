"""Traces are written in the background, read by their id, and never more than fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements import traces as stored
from cqrs_app.kernel.measurements.traces import KEPT, MOST_PENDING, TraceStore, spans_of
from cqrs_app.kernel.store.tables import traces
from cqrs_app.kernel.tracing.spans import Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Clock:
    now = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(kernel: Kernel, clock: Clock) -> Iterator[TraceStore]:
    made = TraceStore(kernel.engines.write, clock, lambda: "worker")
    yield made
    made.close()


def span(started: int, name: str = "commit") -> Span:
    return Span("00f067aa0ba902b7", "", name, "internal", started, 5, {"cqrs.stream": "order-1"})


def count(kernel: Kernel) -> int:
    with kernel.engines.write.connect() as connection:
        return connection.execute(select(func.count()).select_from(traces)).scalar_one()


def read(kernel: Kernel) -> list[tuple[Span, str]]:
    with kernel.engines.write.connect() as connection:
        found = spans_of(connection, TRACE)
    return [(each.span, each.process.partition(" ")[0]) for each in found]


def test_spans_of_several_rounds_are_read_in_their_order(kernel: Kernel, store: TraceStore) -> None:
    store.add(TRACE, [span(3)])
    store.flush()
    store.add(TRACE, [span(1), span(2)])
    store.add("0" * 31 + "1", [span(1)])
    store.flush()
    assert read(kernel) == [(span(number), "worker") for number in (1, 2, 3)]


def test_a_round_writes_one_row_for_each_trace(kernel: Kernel, store: TraceStore) -> None:
    for number in range(5):
        store.add(TRACE, [span(number)])
    store.flush()
    assert count(kernel) == 1


def test_what_does_not_fit_in_memory_is_dropped(kernel: Kernel, store: TraceStore) -> None:
    store._background.nudge = lambda: None  # type: ignore[method-assign]
    for number in range(MOST_PENDING + 10):
        store.add(TRACE, [span(number)])
    store.flush()
    assert len(read(kernel)) == MOST_PENDING


def test_old_traces_are_deleted(kernel: Kernel, store: TraceStore, clock: Clock) -> None:
    store.add(TRACE, [span(1)])
    store.flush()
    clock.now += KEPT
    store.delete_old()
    assert count(kernel) == 1
    clock.now += timedelta(seconds=1)
    store.delete_old()
    assert count(kernel) == 0


def test_the_oldest_rows_make_room_for_new_ones(
    kernel: Kernel, store: TraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_ROWS", 3)
    for number in range(5):
        store.add(TRACE, [span(number)])
        store.flush()
    store.delete_old()
    assert [each.started for each, _ in read(kernel)] == [2, 3, 4]
