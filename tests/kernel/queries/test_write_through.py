"""Answers to hot questions that are computed again before somebody asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import Connection

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.cache import MOST_ASKED
from cqrs_app.kernel.statistics import totals
from tests.kernel.conftest import ASKER, by_ana
from tests.kernel.shop import Add, CounterView, GetCounter, get_counter, shop

asked: list[str] = []
"""Which counters the handler was asked for, in order."""


@query(label="Hot counter", permission="counters.view", reads=("counters",), hot=True)
class HotCounter(Query):
    counter_id: str


def hot_counter(question: HotCounter, connection: Connection) -> CounterView | None:
    asked.append(question.counter_id)
    if asked.count("broken") > 1:
        raise KeyError("It failed the second time.")
    return get_counter(GetCounter(counter_id=question.counter_id), connection)


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel]) -> Iterator[Kernel]:
    answers = {**shop().answers, HotCounter: projected(hot_counter)}
    options = QueryOptions(write_through=0.01)
    asked.clear()
    yield make_kernel(area=replace(shop(), answers=answers), queries=options)
    asked.clear()


def add(kernel: Kernel, counter: str = "a") -> None:
    kernel.commands.execute(Add(counter_id=counter), by_ana())
    kernel.runner.advance("counters")


def settle(kernel: Kernel) -> None:
    """Let what the advanced projections have caused come to its end."""
    kernel.write_through.close()


def found(kernel: Kernel, counter: str = "a") -> tuple[int | None, bool]:
    """The value, and whether it came from the cache."""
    answer = kernel.queries.ask(HotCounter(counter_id=counter), ASKER)
    return (answer.value and answer.value.value), answer.freshness.cached


def test_after_a_change_the_next_answer_is_there_already(kernel: Kernel) -> None:
    assert found(kernel) == (None, False)
    for expected in (1, 2):
        add(kernel)
        settle(kernel)
        assert found(kernel) == (expected, True)
    assert asked == ["a", "a", "a"]


def test_only_what_somebody_has_asked_for_is_computed(kernel: Kernel) -> None:
    found(kernel, "b")
    kernel.queries.ask(GetCounter(counter_id="a"), ASKER)
    add(kernel)
    settle(kernel)
    assert asked == ["b", "b"]


def test_an_answer_that_nobody_asks_for_ends_when_it_was_to_end(
    kernel: Kernel, redis_url: str
) -> None:
    found(kernel)
    client = Redis.from_url(redis_url)
    [key] = client.scan_iter("countersign:cache:HotCounter:*")
    client.pexpire(key, 400)
    add(kernel)
    settle(kernel)
    assert 0 < client.pttl(key) <= 400
    deadline = time.monotonic() + 10
    while client.exists(key) and time.monotonic() < deadline:
        time.sleep(0.02)
    add(kernel)
    settle(kernel)
    client.close()
    assert asked == ["a", "a"]


def test_many_changes_are_flushed_together(make_kernel: Callable[..., Kernel]) -> None:
    answers = {**shop().answers, HotCounter: projected(hot_counter)}
    options = QueryOptions(write_through=60)
    kernel = make_kernel(area=replace(shop(), answers=answers), queries=options)
    found(kernel)
    for _ in range(10):
        add(kernel)
    settle(kernel)
    # One at the first change, and one at the end for all others.
    assert 2 <= len(asked) <= 3
    assert found(kernel) == (10, True)
    asked.clear()


def test_of_many_questions_the_latest_are_computed_again(kernel: Kernel) -> None:
    for number in range(MOST_ASKED + 2):
        found(kernel, f"c{number}")
    asked.clear()
    add(kernel)
    settle(kernel)
    assert sorted(asked) == sorted(f"c{number}" for number in range(2, MOST_ASKED + 2))


def test_it_can_be_switched_off(make_kernel: Callable[..., Kernel]) -> None:
    answers = {**shop().answers, HotCounter: projected(hot_counter)}
    kernel = make_kernel(area=replace(shop(), answers=answers))
    found(kernel)
    add(kernel)
    settle(kernel)
    assert asked == ["a"]
    asked.clear()


def test_a_kept_question_that_fails_is_counted_and_left_out_and_the_others_answered(
    kernel: Kernel, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    found(kernel, "a")
    unreadable, broken = b'{"counter": 7}', b'{"counter_id": "broken"}'
    found(kernel, "broken")
    client = Redis.from_url(redis_url)
    # The first in order, as a release before this one may have left it.
    client.zadd("countersign:asked:HotCounter", {unreadable: time.time() - 1})
    add(kernel)
    settle(kernel)
    assert found(kernel) == (1, True)
    left = client.zrange("countersign:asked:HotCounter", 0, -1)
    client.close()
    assert unreadable not in left
    assert broken not in left
    assert "A kept question HotCounter cannot be answered again" in caplog.text
    assert "counter_id" not in caplog.text.partition("Traceback")[0]
    kernel.statistics.flush()
    with kernel.engines.write.connect() as connection:
        rows = [row for row in connection.execute(totals("query")) if row[1] == "failed"]
    assert [(row[0], sum(int(each[3]) for each in rows)) for row in rows[:1]] == [("HotCounter", 2)]


def test_while_redis_is_down_nothing_fails(kernel: Kernel) -> None:
    found(kernel)
    kernel.cache._rest_until = time.monotonic() + 60
    add(kernel)
    settle(kernel)
    assert found(kernel) == (1, False)
