"""A second generation of a projection's rows: built beside the live ones, compared, swapped in."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context

import msgspec
import pytest
from redis import Redis
from sqlalchemy import delete, inspect, select, text, update

from cqrs_app.kernel.assembling import Assembly
from cqrs_app.kernel.assembly import Engines, Kernel, Tuning
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.projections import building, exchange, swap_rules
from cqrs_app.kernel.projections.comparison import Report
from cqrs_app.kernel.projections.generation import name_of
from cqrs_app.kernel.projections.generation_rows import GenerationRow, generation_rows
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.reconciliation.records import records
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import tables
from cqrs_app.platform.runtime import runtime_area
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    PauseProjection,
    RebuildBeside,
    RepairProjection,
    ResumeProjection,
    SwapProjection,
    SwitchBack,
)
from tests.kernel.conftest import ASKER, JOBS, by_ana, engine_on, vault_on
from tests.kernel.projections.test_projections import add, checkpoint, parked, shown
from tests.kernel.shop import CountersProjection, GetCounter, counters, shop


def act(kernel: Kernel, command: Command) -> None:
    kernel.commands.execute(command, by_ana())
    kernel.runner.advance("projection_control")


def build(kernel: Kernel, *names: str) -> None:
    for name in names or ("counters",):
        act(kernel, RebuildBeside(projection=name))
    while kernel.builder.work(10):
        pass


def row(engines: Engines, name: str = "counters") -> GenerationRow:
    with engines.read.connect() as connection:
        return generation_rows(connection)[name]


def beside(engines: Engines) -> dict[str, tuple[int, int]]:
    with engines.query.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM {name_of('test_counters')}"))
        return {each.counter_id: (each.value, each.applied_version) for each in found}


def spoil(engines: Engines, value: int = -1, counter: str = "a") -> None:
    """Change a live row, which no event did."""
    with engines.read.begin() as connection:
        mine = update(counters).where(counters.c.counter_id == counter)
        connection.execute(mine.values(value=value))


@pytest.fixture
def filled(make_kernel: Callable[..., Kernel]) -> Kernel:
    kernel = make_kernel()
    add(kernel, "a", 3)
    add(kernel, "b", 2)
    kernel.runner.advance("counters")
    return kernel


def test_new_rows_are_built_beside_and_equal_the_live_ones(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    assert beside(engines) == shown(engines) == {"a": (3, 3), "b": (2, 2)}
    found = row(engines)
    assert (found.differences, found.compared_rows, found.compared_position) == (0, 2, 5)
    assert not filled.builder.is_due()


def test_events_that_come_during_and_after_the_build_are_in_both(
    filled: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "BATCH", 2)
    act(filled, RebuildBeside(projection="counters"))
    filled.builder.work(0)  # takes a lease and gives it back
    for _ in range(4):
        add(filled, "c")
        filled.runner.advance("counters")
        filled.builder.work(0.001)
    while filled.builder.work(10):
        pass
    add(filled, "a")
    filled.runner.advance("counters")
    assert beside(engines) == shown(engines) == {"a": (4, 4), "b": (2, 2), "c": (4, 4)}
    assert checkpoint(engines, name_of("counters")).position == checkpoint(engines).position


def test_live_rows_that_want_nothing_are_not_moved_on_without_the_new_ones(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    act(filled, CompareGenerations(projection="counters"))  # no event of theirs
    behind = {"counters": filled.runner.cursors("read")["counters"]}
    assert filled.runner.pass_over(behind) == set()
    act(filled, DropGeneration(projection="counters"))
    assert filled.runner.pass_over(behind) == {"counters"}


def test_a_swap_shows_the_new_rows_and_back_shows_the_rows_before(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    spoil(engines)
    before = filled.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert before.value.value == -1
    act(filled, SwapProjection(projection="counters"))
    after = filled.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert (after.value.value, after.freshness.cached, after.freshness.state) == (
        3,
        False,
        "current",
    )
    add(filled, "a")
    filled.runner.advance("counters")
    assert shown(engines)["a"] == (4, 4)
    assert beside(engines)["a"] == (0, 4)
    act(filled, SwitchBack(projection="counters"))
    assert filled.queries.ask(GetCounter(counter_id="a"), ASKER).value.value == 0
    assert row(engines).role == "next"


def test_rows_swapped_out_are_dropped_and_a_rebuild_can_begin_again(
    filled: Kernel, engines: Engines
) -> None:
    names = sorted(inspect(engines.read).get_table_names())
    build(filled)
    with pytest.raises(Refused, match="Drop them first"):
        act(filled, RebuildBeside(projection="counters"))
    act(filled, SwapProjection(projection="counters"))
    act(filled, DropGeneration(projection="counters"))
    assert sorted(inspect(engines.read).get_table_names()) == names
    assert shown(engines) == {"a": (3, 3), "b": (2, 2)}
    with pytest.raises(Refused, match="no rows beside"):
        act(filled, SwitchBack(projection="counters"))
    build(filled)
    act(filled, SwapProjection(projection="counters"))
    assert shown(engines) == {"a": (3, 3), "b": (2, 2)}


def test_a_difference_is_found_by_key_and_field_and_stops_the_swap(
    filled: Kernel, engines: Engines
) -> None:
    spoil(engines)
    with engines.read.begin() as connection:
        connection.execute(counters.delete().where(counters.c.counter_id == "b"))
        connection.execute(counters.insert().values(counter_id="z", value=1, applied_version=1))
    build(filled)
    report = msgspec.json.decode(row(engines).report or "", type=Report)
    assert report.differences == 3
    assert report.fields == {
        "test_counters.value": 1,
        "test_counters missing": 1,
        "test_counters extra": 1,
    }
    assert {(each.kind, each.key, each.fields) for each in report.samples} == {
        ("changed", ("a",), ("value",)),
        ("extra", ("b",), ()),
        ("missing", ("z",), ()),
    }
    with pytest.raises(Refused, match=r"3 rows of counters differ .* none would be accepted"):
        act(filled, SwapProjection(projection="counters"))
    with pytest.raises(Refused, match="2 would be accepted"):
        act(filled, SwapProjection(projection="counters", accept_differences=2))
    act(filled, SwapProjection(projection="counters", accept_differences=3))
    assert shown(engines) == {"a": (3, 3), "b": (2, 2)}


def test_every_row_of_a_long_table_is_compared(
    make_kernel: Callable[..., Kernel], engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.kernel.projections.comparison.PAGE", 3)
    kernel = make_kernel()
    for number in range(10):
        add(kernel, f"c{number}")
    kernel.runner.advance("counters")
    for gone in ("c0", "c4", "c9"):
        with engines.read.begin() as connection:
            connection.execute(counters.delete().where(counters.c.counter_id == gone))
    spoil(engines, counter="c5")
    build(kernel)
    report = msgspec.json.decode(row(engines).report or "", type=Report)
    assert {each.key[0]: each.kind for each in report.samples} == {
        "c0": "extra",
        "c4": "extra",
        "c5": "changed",
        "c9": "extra",
    }
    with engines.read.begin() as connection:
        connection.execute(counters.delete())
    act(kernel, CompareGenerations(projection="counters"))
    kernel.builder.work(10)
    assert row(engines).differences == 10


def test_a_swap_without_a_comparison_or_with_an_old_one_is_refused(
    filled: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(filled, RebuildBeside(projection="counters"))
    with pytest.raises(Refused, match="not complete yet"):
        act(filled, SwapProjection(projection="counters"))
    filled.builder.work(10)
    monkeypatch.setattr(swap_rules, "PROOF_EVENTS", 1)
    add(filled, "a", 2)
    filled.runner.advance("counters")
    with pytest.raises(Refused, match="too old: the live rows have moved by 3 events"):
        act(filled, SwapProjection(projection="counters"))
    act(filled, CompareGenerations(projection="counters"))
    filled.builder.work(10)
    act(filled, SwapProjection(projection="counters"))
    act(filled, SwitchBack(projection="counters"))
    with pytest.raises(Refused, match="not compared"):
        act(filled, SwapProjection(projection="counters"))
    assert shown(engines)["a"] == (5, 5)


def test_what_is_no_projection_or_is_paused_is_refused(filled: Kernel) -> None:
    with pytest.raises(Refused, match="no subscription called nothing"):
        act(filled, RebuildBeside(projection="nothing"))
    build(filled)
    act(filled, PauseProjection(projection="counters"))
    with pytest.raises(Refused, match=r"is paused\. Resume it first"):
        act(filled, SwapProjection(projection="counters"))


def test_a_swap_that_has_become_impossible_says_why_and_changes_nothing(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    filled.commands.execute(SwapProjection(projection="counters"), by_ana())
    with engines.read.begin() as connection:
        connection.execute(update(tables.projection_generations).values(differences=1))
    filled.runner.advance("projection_control")
    assert row(engines).problem == (
        "1 row of counters differs from the live ones; none would be accepted."
    )
    assert row(engines).role == "next"


def test_an_event_that_fails_is_parked_for_the_rows_it_fails_for(
    make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    kernel = make_kernel()
    add(kernel, "poison", 3)
    add(kernel, "a")
    kernel.runner.advance("counters")
    kernel.registry.projections["counters"].cured = True  # type: ignore[attr-defined]
    build(kernel)
    assert beside(engines) == {"poison": (3, 3), "a": (1, 1)}
    act(kernel, SwapProjection(projection="counters", accept_differences=1))
    assert kernel.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.parked == 0
    assert len(parked(engines)) == 2  # those of the rows that were swapped out
    act(kernel, SwitchBack(projection="counters"))
    assert kernel.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.parked == 2
    act(kernel, DropGeneration(projection="counters"))
    assert len(parked(engines)) == 2


def test_a_poison_event_is_parked_in_the_new_rows_and_the_build_goes_on(
    make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    kernel = make_kernel()
    add(kernel, "poison", 3)
    add(kernel, "a", 2)
    kernel.runner.advance("counters")
    build(kernel)
    assert beside(engines) == shown(engines) == {"poison": (1, 1), "a": (2, 2)}
    assert row(engines).differences == 0


def test_building_waits_for_live_rows_that_are_behind(
    filled: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "LAG_EVENTS", 3)
    monkeypatch.setattr(building, "WAITING_SECONDS", 0.05)
    waits: list[float] = []
    monkeypatch.setattr(filled.builder, "_pause", waits.append)
    act(filled, RebuildBeside(projection="counters"))
    add(filled, "a", 4)
    filled.builder.work(10)
    assert waits
    assert shown(engines) == beside(engines)  # and it went on nevertheless


def test_two_builders_share_no_work(filled: Kernel, engines: Engines) -> None:
    act(filled, RebuildBeside(projection="counters"))
    with engines.read.begin() as connection:
        from cqrs_app.kernel.projections.generation_rows import take_lease

        assert take_lease(connection, ["counters"]) == ["counters"]
    assert not filled.builder.is_due()
    assert filled.builder.work(10)
    assert beside(engines) == {}


@contextmanager
def separate_kernel(urls: tuple[str, str], redis_url: str) -> Iterator[Kernel]:
    write, read = urls
    made = Engines(
        write=engine_on(write), read=engine_on(read), query=engine_on(read, read_only=True)
    )
    redis = Redis.from_url(redis_url)
    yield Assembly(
        Registry([shop(), runtime_area(shop().projections)]),
        made,
        redis=redis,
        cache_redis=redis,
        vault=vault_on(made.write),
        commands=BusOptions(),
        queries=QueryOptions(),
        tuning=Tuning(projection_batch=50, amber_lag=5, red_lag=60, cache_ttl=60),
        jobs=JOBS,
    ).kernel()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _build_and_die(urls: tuple[str, str], redis_url: str, after: int) -> None:
    with separate_kernel(urls, redis_url) as kernel:
        building.BATCH = 2
        take, taken = kernel.builder._runner.replay, 0

        def replay(*given: object) -> None:
            nonlocal taken
            take(*given)  # type: ignore[arg-type]
            taken += 1
            if taken > after:
                _die()

        kernel.builder._runner.replay = replay  # type: ignore[method-assign,assignment]
        kernel.builder.work(60)


def _swap_and_die(urls: tuple[str, str], redis_url: str) -> None:
    with separate_kernel(urls, redis_url) as kernel:
        control = kernel.registry.subscriptions["projection_control"]._control  # type: ignore[attr-defined]
        control._exchanged = lambda connection, tables: _die()
        kernel.runner.advance("projection_control")


def run_killed(target: Callable[..., None], *given: object) -> None:
    process = get_context("fork").Process(target=target, args=given)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def test_a_build_that_is_killed_goes_on_where_it_was(
    filled: Kernel, engines: Engines, urls: tuple[str, str], redis_url: str
) -> None:
    act(filled, RebuildBeside(projection="counters"))
    run_killed(_build_and_die, urls, redis_url, 1)
    assert beside(engines) == {"a": (2, 2)}  # the second batch was rolled back
    assert checkpoint(engines, name_of("counters")).position == 2
    assert not filled.builder.is_due()  # until the lease of the dead ends
    with engines.read.begin() as connection:
        connection.execute(update(tables.projection_generations).values(lease_until=None))
    assert filled.builder.is_due()
    filled.builder.work(10)
    assert beside(engines) == shown(engines)
    assert row(engines).differences == 0


def test_a_swap_that_is_killed_changes_nothing_and_is_done_later(
    filled: Kernel, engines: Engines, urls: tuple[str, str], redis_url: str
) -> None:
    build(filled)
    spoil(engines)
    filled.commands.execute(SwapProjection(projection="counters"), by_ana())
    run_killed(_swap_and_die, urls, redis_url)
    assert shown(engines)["a"] == (-1, 3)
    assert row(engines).role == "next"
    filled.runner.advance("projection_control")
    assert shown(engines)["a"] == (3, 3)
    assert row(engines).role == "previous"


def test_readers_that_poll_during_swaps_see_right_rows_at_every_moment(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    problems: list[str] = []
    asked = [0]
    done = threading.Event()
    limit = "SET lock_timeout = '2s'" if engines.read.dialect.name == "postgresql" else "SELECT 1"

    def poll() -> None:
        with engines.query.connect() as connection:
            connection.exec_driver_sql(limit)
        lowest = 3
        while not done.is_set():
            try:
                answer = filled.queries.ask(GetCounter(counter_id="a"), ASKER)
            except Exception as error:  # noqa: BLE001 - the test fails with it
                problems.append(repr(error))
                return
            asked[0] += 1
            value, version = answer.value.value, answer.value.applied_version
            if value != version or version < lowest or answer.freshness.state != "current":
                problems.append(f"{answer}")
            lowest = max(lowest, version)

    threads = [threading.Thread(target=poll) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        act(filled, SwapProjection(projection="counters"))
        add(filled, "a")
        filled.runner.advance("counters")
        act(filled, SwitchBack(projection="counters"))
        act(filled, CompareGenerations(projection="counters"))
        filled.builder.work(10)
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert asked[0] > 20
    assert shown(engines)["a"] == (7, 7)


def test_a_swap_waits_for_a_long_query_without_keeping_others_waiting(
    filled: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engines.read.dialect.name != "postgresql":
        pytest.skip("on SQLite nobody waits for a reader")
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", 0.3)
    build(filled)
    filled.commands.execute(SwapProjection(projection="counters"), by_ana())
    with engines.read.begin() as long:
        long.execute(select(counters)).all()
        failed: list[Exception] = []

        def swap() -> None:
            try:
                filled.runner.advance("projection_control")
            except Exception as error:  # noqa: BLE001 - the test looks at it
                failed.append(error)

        swapping = threading.Thread(target=swap)
        swapping.start()
        read = 0
        while swapping.is_alive():
            assert shown(engines)
            read += 1
        swapping.join()
        assert "LockNotAvailable" in repr(failed[0])
        assert read > 2
    filled.runner.advance("projection_control")
    assert row(engines).role == "previous"


class NewCounters(CountersProjection):
    """The rules of a new release: a counter is worth twice as much."""

    version = 2

    def _change(self, counter_id: str, by: int, recorded, rows) -> None:  # type: ignore[no-untyped-def]
        super()._change(counter_id, 2 * by, recorded, rows)


def new_shop():  # type: ignore[no-untyped-def]
    area = shop()
    return type(area)(
        name=area.name,
        aggregates=area.aggregates,
        events=area.events,
        upcasters=area.upcasters,
        projections=[NewCounters()],
        answers=area.answers,
    )


def test_a_new_release_builds_its_rows_while_the_old_one_goes_on_and_swaps_them_in(
    filled: Kernel, make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    new = make_kernel(area=new_shop())
    unmarked = new.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert (unmarked.value.value, unmarked.freshness.state) == (3, "failed")
    act(new, RebuildBeside(projection="counters"))
    new.builder.work(0.001)
    add(filled, "a")
    filled.runner.advance("counters")
    old = filled.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert (old.value.value, old.freshness.state) == (4, "current")
    while new.builder.work(10):
        pass
    assert row(engines).differences == 2
    add(filled, "b")
    filled.runner.advance("counters")  # the old release leaves the new rows alone
    assert checkpoint(engines, name_of("counters")).position == 7
    assert checkpoint(engines, name_of("counters")).state == "running"
    with pytest.raises(Refused, match="have shape 2, this release makes shape 1"):
        act(filled, SwapProjection(projection="counters", accept_differences=2))
    act(new, SwapProjection(projection="counters", accept_differences=2))
    now = new.queries.ask(GetCounter(counter_id="b"), ASKER)
    assert (now.value.value, now.freshness.state) == (6, "current")
    assert filled.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.state == "failed"
    add(new, "a")
    new.runner.advance("counters")
    assert shown(engines)["a"] == (10, 5)
    with pytest.raises(Refused, match="have shape 1, this release makes shape 2"):
        act(new, SwitchBack(projection="counters"))
    filled.runner.follow("counters")  # a worker of the old release brings them up to date
    act(filled, SwitchBack(projection="counters"))
    assert filled.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.state == "current"
    assert shown(engines)["a"] == (5, 5)


def test_a_release_whose_rows_are_being_built_says_so_until_they_are_swapped_in(
    filled: Kernel, make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    new = make_kernel(area=new_shop())
    add(new, "a")
    new.runner.advance("counters")
    assert checkpoint(engines).state == "failed"
    act(new, RebuildBeside(projection="counters"))
    new.runner.advance("counters")
    answer = new.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert (answer.value.value, answer.freshness.state) == (3, "rebuilding")
    while new.builder.work(10):
        pass
    act(new, SwapProjection(projection="counters", accept_differences=2))
    new.runner.advance("counters")
    answer = new.queries.ask(GetCounter(counter_id="a"), ASKER)
    assert (answer.value.value, answer.freshness.state) == (8, "current")


def test_rows_that_this_release_cannot_update_are_dropped_when_it_erases_a_person(
    filled: Kernel, make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    build(filled)
    filled.runner._forget_person(filled.registry.projections["counters"])
    assert [*filled.builder.rows()] == ["counters"]  # it erases them there too
    new = make_kernel(area=new_shop())
    new.runner._forget_person(new.registry.projections["counters"])
    assert not filled.builder.rows()
    assert name_of("test_counters") not in inspect(engines.read).get_table_names()


def test_a_change_of_one_generation_alone_since_the_comparison_stops_the_swap(
    filled: Kernel, engines: Engines
) -> None:
    build(filled)
    with engines.read.begin() as connection:
        connection.execute(
            update(tables.digests)
            .where(tables.digests.c.table_name == "test_counters")
            .values(rows=tables.digests.c.rows + 1)
        )
    act(filled, SwapProjection(projection="counters"))
    assert row(engines).role == "next"
    assert "changed otherwise than the new rows" in (row(engines).problem or "")


def test_a_read_store_that_is_filled_anew_repeats_no_request(
    filled: Kernel, engines: Engines, make_kernel: Callable[..., Kernel]
) -> None:
    build(filled)
    act(filled, SwapProjection(projection="counters"))
    act(filled, RepairProjection(projection="counters"))
    act(filled, PauseProjection(projection="counters"))
    with engines.read.begin() as connection:
        filled.runner.generations["counters"].drop(connection)
        for table in (counters, tables.checkpoints, tables.digests, tables.reconciliations):
            connection.execute(delete(table))
    kernel = make_kernel()
    kernel.runner.advance("projection_control")
    with engines.read.connect() as connection:
        assert generation_rows(connection) == {}
        assert records(connection) == {}
    assert checkpoint(engines).state == "paused"
    act(kernel, ResumeProjection(projection="counters"))
    kernel.runner.advance("counters")
    build(kernel)
    assert row(engines).built_at
