"""Measurements are written by every process, added up as they grow old, and read at any zoom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.reading import MOST_STEPS, Window, latest, read, window
from cqrs_app.kernel.measurements.recorder import MOST_PENDING, Recorder
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.measurements.rows import KEPT, MOST_SERIES, OTHER, SLOT_SECONDS
from cqrs_app.kernel.store.tables import measurements

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorders(kernel: Kernel, clock: Clock) -> Iterator[list[Recorder]]:
    """Those of two processes."""
    made = [Recorder(kernel.engines.write, clock) for _ in range(2)]
    for number, each in enumerate(made):
        each._own_source = lambda number=number: f"process{number}"  # type: ignore[method-assign]
    yield made
    for each in made:
        each.close()


@contextmanager
def taken_away(kernel: Kernel) -> Iterator[None]:
    """The table is not there."""

    def rename(name: str, to: str) -> None:
        with kernel.engines.write.begin() as connection:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO {to}"))

    rename("measurements", "away")
    yield
    rename("away", "measurements")


@pytest.fixture
def roll_up(kernel: Kernel, clock: Clock) -> RollUp:
    return RollUp(kernel.engines.write, clock)


def rows_kept(kernel: Kernel) -> dict[int, int]:
    with kernel.engines.write.connect() as connection:
        seconds = measurements.c.seconds
        mine = measurements.c.metric == "commands"
        found = connection.execute(select(seconds, func.count()).where(mine).group_by(seconds))
        return {row[0]: row[1] for row in found}


def counts(kernel: Kernel, over: Window, metric: str = "commands") -> dict[datetime, int]:
    """Start of a step -> how many values."""
    with kernel.engines.write.connect() as connection:
        found = read(connection, [metric], over)[metric]
    return {start: sum(each.count for each in series.values()) for start, series in found.items()}


def test_values_of_all_processes_are_read_as_one(
    kernel: Kernel, recorders: list[Recorder], clock: Clock
) -> None:
    for each in recorders:
        each.record("commands", ("PlaceOrder", "succeeded"), 8.0, times=3)
        each.record("commands", ("PlaceOrder", "failed"), 2.0)
        each.flush()
    with kernel.engines.write.connect() as connection:
        found = latest(connection, ["commands", "queries"], clock.now + SECOND)
    assert {labels: each.count for labels, each in found["commands"].items()} == {
        ("PlaceOrder", "succeeded"): 6,
        ("PlaceOrder", "failed"): 2,
    }
    assert found["commands"]["PlaceOrder", "succeeded"].mean == 8.0
    assert found["queries"] == {}


def test_a_slot_that_is_written_twice_counts_once(
    kernel: Kernel, recorders: list[Recorder], clock: Clock
) -> None:
    one = recorders[0]
    one.record("commands", ("A",), 1.0)
    one.flush()
    one.record("commands", ("A",), 1.0)
    one.flush()
    one.flush()
    over = window(NOON - 60 * SECOND, NOON + 60 * SECOND, NOON)
    assert counts(kernel, over) == {NOON: 2}


def test_older_rows_are_added_up_and_deleted_and_nothing_is_lost_or_counted_twice(
    kernel: Kernel, recorders: list[Recorder], clock: Clock, roll_up: RollUp
) -> None:
    started, recorded = clock.now, 0
    while clock.now < started + timedelta(hours=3):
        for each in recorders:
            each.record("commands", ("A",), 5.0)
            recorded += 1
        if clock.now.minute % 7 == 0:
            for each in recorders:
                each.flush()
            roll_up()
            RollUp(kernel.engines.write, clock)()  # that of another sweep
        clock.now += timedelta(minutes=1)
    for each in recorders:
        each.flush()
    roll_up()
    roll_up.delete_old()
    for seconds in list(KEPT)[1:]:
        over = Window(started - timedelta(days=1), clock.now + timedelta(days=1), seconds)
        assert sum(counts(kernel, over).values()) == recorded, seconds
    kept = rows_kept(kernel)
    assert kept[SLOT_SECONDS] <= 2 * 66
    assert (kept[60], kept[600], kept[3_600]) == (180, 18, 3)
    clock.now += timedelta(days=500)
    roll_up()
    roll_up.delete_old()
    assert rows_kept(kernel) == {}


def test_a_sum_stays_whole_when_its_parts_are_deleted(
    kernel: Kernel, recorders: list[Recorder], clock: Clock, roll_up: RollUp
) -> None:
    for _ in range(6):
        recorders[0].record("commands", ("A",), 5.0)
        clock.now += 10 * SECOND
    recorders[0].flush()
    roll_up()
    clock.now += KEPT[SLOT_SECONDS] * 1.1 - 30 * SECOND
    roll_up.delete_old()
    assert rows_kept(kernel)[SLOT_SECONDS] == 3
    # As after an outage: it adds up what may have changed since it last ran.
    roll_up()
    assert counts(kernel, Window(NOON, NOON + timedelta(hours=1), 60)) == {NOON: 6}


def test_what_could_not_be_written_is_written_under_its_own_time(
    kernel: Kernel,
    recorders: list[Recorder],
    clock: Clock,
    roll_up: RollUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    roll_up()
    with taken_away(kernel):
        recorders[0].record("commands", ("A",), 5.0)
        recorders[0].flush()
        assert "could not do its work" in caplog.text
        clock.now += timedelta(minutes=5)
    roll_up()
    recorders[0].record("commands", ("A",), 5.0)
    recorders[0].flush()
    roll_up()
    over = Window(NOON, NOON + timedelta(hours=1), 60)
    assert counts(kernel, over) == {NOON: 1, NOON + timedelta(minutes=5): 1}


def test_a_process_that_is_closed_keeps_nothing_and_leaves_no_thread(
    kernel: Kernel, recorders: list[Recorder], clock: Clock
) -> None:
    recorders[0].record("commands", ("A",), 5.0)
    recorders[0].close()
    assert recorders[0]._slots == {}
    assert recorders[0]._background._thread is None
    assert counts(kernel, Window(NOON, NOON + timedelta(minutes=1), SLOT_SECONDS)) == {NOON: 1}


def test_a_forked_process_has_rows_of_its_own(kernel: Kernel, clock: Clock) -> None:
    recorder = Recorder(kernel.engines.write, clock)
    mine = recorder._own_source()
    assert recorder._own_source() == mine
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, recorder._own_source().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() not in ("", mine)
    os.close(reading)
    os.close(writing)


def test_a_long_outage_does_not_fill_the_memory(
    kernel: Kernel, recorders: list[Recorder], clock: Clock
) -> None:
    with taken_away(kernel):
        for _ in range(100):
            recorders[0].record("commands", ("A",), 5.0)
            recorders[0].flush()
            clock.now += SLOT_SECONDS * SECOND
    assert len(recorders[0]._slots) <= MOST_PENDING.total_seconds() / SLOT_SECONDS + 1


def test_a_row_holds_a_bounded_number_of_series(
    kernel: Kernel, recorders: list[Recorder], clock: Clock
) -> None:
    for number in range(MOST_SERIES + 50):
        recorders[0].record("commands", (f"Command{number}", "succeeded"), float(number))
    recorders[0].flush()
    with kernel.engines.write.connect() as connection:
        (found,) = latest(connection, ["commands"], clock.now + SECOND).values()
    assert len(found) == MOST_SERIES
    assert sum(each.count for each in found.values()) == MOST_SERIES + 50
    assert found[OTHER, OTHER].count == 51
    assert (f"Command{MOST_SERIES + 49}", "succeeded") in found


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(minutes=15), 10),
        (timedelta(hours=1), 60),
        (timedelta(hours=3), 60),
        (timedelta(days=1), 600),
        (timedelta(days=7), 3_600),
        (timedelta(days=30), 21_600),
        (timedelta(days=400), 21_600),
    ],
)
def test_a_window_has_the_finest_steps_that_can_be_drawn(span: timedelta, seconds: int) -> None:
    over = window(NOON - span, NOON, NOON)
    assert over.seconds == seconds
    assert over.start <= NOON - span
    assert over.end >= NOON
    if span < timedelta(days=31):
        assert len(over.steps) <= MOST_STEPS + 1


def test_a_window_of_long_ago_has_the_steps_that_are_kept() -> None:
    start = NOON - timedelta(days=3)
    assert window(start, start + timedelta(minutes=15), NOON).seconds == 600
    start = NOON - timedelta(days=100)
    assert window(start, start + timedelta(hours=1), NOON).seconds == 21_600
