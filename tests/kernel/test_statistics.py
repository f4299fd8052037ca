"""Counts are added up as they grow old; none is lost, and none counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.statistics import EPOCH, Statistics, measured, since, totals
from cqrs_app.kernel.store.tables import statistics
from cqrs_app.platform.runtime.metrics import exposition

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counting(kernel: Kernel, clock: Clock) -> Iterator[Statistics]:
    """Of the kernel's write store, with a clock to be set."""
    made = Statistics(kernel.engines.write, clock)
    yield made
    made.close()


def count_each(made: Statistics, clock: Clock, step: timedelta, until: datetime) -> int:
    """One fast and one slow answer at each step; how many there were."""
    counted = 0
    while clock.now < until:
        made.count("query", "ListOrders", "hit", 0.4)
        made.count("query", "ListOrders", "miss", 9.0)
        counted += 2
        clock.now += step
    made.flush()
    return counted


def minutes_kept(kernel: Kernel) -> list[datetime]:
    with kernel.engines.write.connect() as connection:
        found = select(statistics.c.minute).distinct().order_by(statistics.c.minute)
        return list(connection.execute(found).scalars())


def counted_in_all(kernel: Kernel) -> tuple[int, float]:
    with kernel.engines.write.connect() as connection:
        rows = connection.execute(totals("query")).all()
    return sum(int(row[3]) for row in rows), sum(row[4] for row in rows)


def test_each_type_of_each_bus_has_its_own_counts(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    counting.count("query", "Same", "hit", 1)
    counting.count("command", "Same", "succeeded", 30)
    counting.count("query", "Other", "hit", 8)
    counting.flush()
    with kernel.engines.write.connect() as connection:
        found = {bus: measured(connection, bus, clock.now) for bus in ("query", "command")}
    assert {
        bus: [(each.name, each.results, each.mean_ms) for each in some]
        for bus, some in found.items()
    } == {
        "query": [("Other", {"hit": 1}, 8), ("Same", {"hit": 1}, 1)],
        "command": [("Same", {"succeeded": 1}, 30)],
    }


def test_what_is_old_is_kept_per_hour_then_per_day_then_as_one(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    start = clock.now
    many = count_each(counting, clock, timedelta(minutes=7), start + timedelta(days=2))
    counting.fold()
    ended = clock.now.replace(minute=0) - timedelta(hours=1)
    old = [each for each in minutes_kept(kernel) if each < ended]
    assert old == [start + timedelta(hours=n) for n in range(47)]
    clock.now += timedelta(days=10)
    counting.fold()
    assert minutes_kept(kernel) == [start.replace(hour=0) + timedelta(days=n) for n in range(3)]
    clock.now += timedelta(days=30)
    counting.fold()
    assert minutes_kept(kernel) == [EPOCH]
    total, ms = counted_in_all(kernel)
    assert total == many
    assert ms == pytest.approx(many / 2 * 9.4, rel=1e-3)


def test_the_last_minutes_stay_as_they_are(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    count_each(counting, clock, timedelta(minutes=1), NOON + timedelta(minutes=9))
    counting.fold()
    assert len(minutes_kept(kernel)) == 9


def test_percentiles_are_the_same_afterwards(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    count_each(counting, clock, timedelta(minutes=1), NOON + timedelta(hours=3))
    counting.fold()
    assert len(minutes_kept(kernel)) < 180
    with kernel.engines.write.connect() as connection:
        (found,) = measured(connection, "query", NOON)
    assert found.results == {"hit": 180, "miss": 180}
    assert (found.p50_ms, found.p99_ms) == (0.5, 12)


def test_a_window_holds_all_it_promises_however_much_was_added_up(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    count_each(counting, clock, timedelta(minutes=17), NOON + timedelta(hours=800, minutes=30))
    starts = {hours: since(clock.now, hours) for hours in (1, 24, 47, 48, 49, 72, 100, 744)}
    for hours, start in starts.items():
        longest = timedelta(hours=1 if hours <= 48 else 24)
        assert timedelta(0) <= clock.now - timedelta(hours=hours) - start < longest

    def in_windows() -> dict[int, int]:
        with kernel.engines.write.connect() as connection:
            return {
                hours: measured(connection, "query", start)[0].count
                for hours, start in starts.items()
            }

    before = in_windows()
    assert len(set(before.values())) > 4
    counting.fold()
    assert in_windows() == before


def test_sums_of_time_never_fall_either(kernel: Kernel, counting: Statistics, clock: Clock) -> None:
    for step in range(3_000):
        counting.count("query", "ListOrders", "hit", 0.1 + step / 7)
        clock.now += timedelta(minutes=1)
    counting.flush()
    before = counted_in_all(kernel)
    counting.fold()
    clock.now += timedelta(days=40)
    counting.fold()
    assert counted_in_all(kernel) == before


def test_what_could_not_be_written_is_written_later(
    kernel: Kernel, counting: Statistics, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with kernel.engines.write.begin() as connection:
        connection.execute(text("ALTER TABLE bus_statistics RENAME TO taken_away"))
    counting.count("query", "ListOrders", "hit", 0.4)
    counting.flush()
    assert "could not do its work" in caplog.text
    with kernel.engines.write.begin() as connection:
        connection.execute(text("ALTER TABLE taken_away RENAME TO bus_statistics"))
    counting.count("query", "ListOrders", "hit", 0.4)
    counting.flush()
    assert counted_in_all(kernel)[0] == 2


def test_two_sweeps_that_fold_at_once_count_nothing_twice(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    many = count_each(counting, clock, timedelta(minutes=3), NOON + timedelta(hours=12))
    clock.now += timedelta(days=40)
    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(counting.fold) for _ in range(8)]:
            done.result()
    assert counted_in_all(kernel)[0] == many
    assert minutes_kept(kernel) == [EPOCH]


def test_counters_that_are_scraped_never_fall(
    kernel: Kernel, counting: Statistics, clock: Clock
) -> None:
    count_each(counting, clock, timedelta(hours=1), NOON + timedelta(days=3))
    line = 'countersign_queries_total{name="ListOrders",outcome="hit"} 72.0'
    assert line in exposition(kernel, {}).decode()
    clock.now += timedelta(days=60)
    counting.fold()
    assert line in exposition(kernel, {}).decode()
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(func.count()).select_from(statistics)).scalar() == 2
