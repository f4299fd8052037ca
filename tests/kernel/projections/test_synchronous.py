"""Projections that are updated in the transaction of the command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.projections.synchronous import MOST_EVENTS, NotOneDatabase
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.tables import checkpoints, events
from cqrs_app.platform.runtime.commands import PauseProjection, RetryParkedEvents
from tests.kernel.conftest import ASKER, KERNEL_READ, by_ana, engine_on
from tests.kernel.queries.test_write_through import HotCounter, hot_counter
from tests.kernel.shop import (
    Add,
    CountersProjection,
    CounterView,
    GetCounter,
    Take,
    shop,
    test_tables,
)

MakeKernel = Callable[..., Kernel]


@pytest.fixture(autouse=True)
def one(urls: tuple[str, str]) -> Iterator[Engines]:
    """Engines of one database that holds both stores. Closed after the kernels that use them."""
    write, _ = urls
    made = Engines(
        write=engine_on(write), read=engine_on(write), query=engine_on(write, read_only=True)
    )
    tables.read_tables.create_all(made.write, tables=KERNEL_READ)
    test_tables.create_all(made.write)
    yield made
    made.dispose()


@pytest.fixture
def kernel(make_kernel: MakeKernel, one: Engines) -> Kernel:
    return make_kernel(engines=one, synchronous=["counters"])


def add(kernel: Kernel, counter: str = "a") -> None:
    kernel.commands.execute(Add(counter_id=counter), by_ana())


def value(kernel: Kernel, counter: str = "a") -> int | None:
    found = kernel.queries.ask(GetCounter(counter_id=counter), ASKER).value
    assert found is None or isinstance(found, CounterView)
    return found and found.value


def reached(kernel: Kernel) -> tuple[int, int]:
    """The position of the cursor, and how many events it has applied."""
    with kernel.engines.read.connect() as connection:
        here = checkpoints.c.subscription == "counters"
        row = connection.execute(select(checkpoints).where(here)).one()
    return row.position, row.applied


def test_an_answer_right_after_the_command_holds_it(kernel: Kernel) -> None:
    for expected in (1, 2, 3):
        add(kernel)
        answer = kernel.queries.ask(GetCounter(counter_id="a"), ASKER)
        assert answer.value == CounterView("a", expected, expected)
        assert (answer.freshness.position, answer.freshness.lag_events) == (expected, 0)


def test_nothing_is_applied_twice(kernel: Kernel) -> None:
    add(kernel)
    assert kernel.runner.advance("counters") == 0
    add(kernel)
    assert (value(kernel), reached(kernel)) == (2, (2, 2))


def test_a_command_that_is_refused_leaves_the_rows_as_they_were(kernel: Kernel) -> None:
    add(kernel)
    with pytest.raises(Refused):
        kernel.commands.execute(Take(counter_id="a", amount=5), by_ana())
    assert (value(kernel), reached(kernel)) == (1, (1, 1))


def test_rows_and_events_are_written_together_or_not_at_all(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(kernel)
    follower = kernel.store.follower
    assert follower
    take = follower.take

    def fails_afterwards(connection: object, events: object) -> None:
        take(connection, events)  # type: ignore[arg-type]
        raise RuntimeError("the power fails")

    monkeypatch.setattr(follower, "take", fails_afterwards)
    with pytest.raises(RuntimeError):
        add(kernel)
    monkeypatch.undo()
    assert (value(kernel), reached(kernel), kernel.store.head()) == (1, (1, 1), 1)
    add(kernel)
    assert (value(kernel), reached(kernel)) == (2, (2, 2))


def test_a_batch_is_applied_as_a_whole(kernel: Kernel) -> None:
    items = [(Add(counter_id="ab"[n % 2]), by_ana(command_id=new_id())) for n in range(20)]
    kernel.commands.execute_batch(items)
    assert (value(kernel, "a"), value(kernel, "b"), reached(kernel)) == (10, 10, (20, 20))


def test_what_is_written_at_once_is_applied_once_and_in_order(kernel: Kernel) -> None:
    problems: list[Exception] = []

    def work(counter: str) -> None:
        try:
            for _ in range(10):
                add(kernel, counter)
                kernel.runner.advance("counters")
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test fails
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert [value(kernel, name) for name in "abcd"] == [10] * 4
    assert reached(kernel) == (40, 40)
    with kernel.engines.write.connect() as connection:
        found = list(connection.execute(select(events.c.position).order_by(events.c.id)).scalars())
    assert sorted(found) == list(range(1, 41))


def test_an_event_that_cannot_be_applied_is_parked_and_the_command_succeeds(
    make_kernel: MakeKernel, one: Engines
) -> None:
    kernel = make_kernel(engines=one, synchronous=["counters"])
    for _ in range(3):
        add(kernel, "poison")
    add(kernel)
    assert (value(kernel, "poison"), value(kernel)) == (1, 1)
    assert kernel.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.parked == 2
    kernel.registry.projections["counters"].cured = True  # type: ignore[attr-defined]
    retry = RetryParkedEvents(projection="counters", stream="counter-poison")
    kernel.commands.execute(retry, by_ana())
    kernel.runner.advance("projection_control")
    assert value(kernel, "poison") == 3


def test_one_that_is_paused_is_left_as_it_is(kernel: Kernel) -> None:
    add(kernel)
    kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    kernel.runner.advance("projection_control")
    add(kernel)
    assert value(kernel) == 1


def test_one_that_is_behind_catches_up_with_the_next_command(
    make_kernel: MakeKernel, one: Engines, kernel: Kernel
) -> None:
    asynchronous = make_kernel(engines=one)
    for _ in range(3):
        add(asynchronous)
    assert value(kernel) is None
    add(kernel)
    assert (value(kernel), reached(kernel)) == (4, (4, 4))


def test_one_that_is_far_behind_is_left_to_the_workers(
    make_kernel: MakeKernel, one: Engines, kernel: Kernel
) -> None:
    many = [(Add(counter_id="a"), by_ana(command_id=new_id())) for _ in range(MOST_EVENTS)]
    make_kernel(engines=one).commands.execute_batch(many)
    add(kernel)
    assert value(kernel) is None
    kernel.runner.advance("counters")
    assert value(kernel) == MOST_EVENTS + 1
    add(kernel)
    assert value(kernel) == MOST_EVENTS + 2


def test_rows_of_another_release_are_left_as_they_are(kernel: Kernel) -> None:
    add(kernel)
    with kernel.engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(version=7))
    add(kernel)
    assert reached(kernel) == (1, 1)
    kernel.runner.advance("counters")
    assert kernel.queries.ask(GetCounter(counter_id="a"), ASKER).freshness.state == "failed"


def test_a_class_can_declare_it(make_kernel: MakeKernel, one: Engines) -> None:
    class AtOnce(CountersProjection):
        synchronous = True

    kernel = make_kernel(engines=one, area=replace(shop(), projections=[AtOnce()]))
    add(kernel)
    assert value(kernel) == 1


def test_two_databases_are_refused_at_the_start(make_kernel: MakeKernel) -> None:
    with pytest.raises(NotOneDatabase, match="counters"):
        make_kernel(synchronous=["counters"])


def test_hot_questions_are_answered_again_as_of_every_projection(
    make_kernel: MakeKernel, one: Engines
) -> None:
    answers = {**shop().answers, HotCounter: projected(hot_counter)}
    kernel = make_kernel(
        area=replace(shop(), answers=answers),
        queries=QueryOptions(write_through=0.01),
        engines=one,
        synchronous=["counters"],
    )
    kernel.queries.ask(HotCounter(counter_id="a"), ASKER)
    for expected in (1, 2):
        add(kernel)
        kernel.write_through.close()
        answer = kernel.queries.ask(HotCounter(counter_id="a"), ASKER)
        assert (answer.value, answer.freshness.cached) == (
            CounterView("a", expected, expected),
            True,
        )
