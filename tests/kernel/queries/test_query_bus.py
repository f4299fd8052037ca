"""The query bus: permission, cache, consistency, and what an answer says of its freshness."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from msgspec import Raw
from redis import Redis
from sqlalchemy import Connection, delete, insert, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import NotAllowed, Refused
from cqrs_app.kernel.messages.messages import Command, Query, query
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.cache import Entry
from cqrs_app.kernel.queries.context import MinVersion, QueryContext
from cqrs_app.kernel.statistics import measured
from cqrs_app.kernel.store.tables import checkpoints
from cqrs_app.platform.runtime.commands import RetryParkedEvents, SkipParkedEvent
from tests.kernel.conftest import ANA, ASKER, by_ana
from tests.kernel.shop import Add, CounterView, GetCounter, counters, shop
from tests.processes.running import eventually

A = GetCounter(counter_id="a")


def add(kernel: Kernel, times: int = 1) -> None:
    for _ in range(times):
        kernel.commands.execute(Add(counter_id="a"), by_ana())


def results(kernel: Kernel) -> dict[str, int]:
    kernel.statistics.flush()
    with kernel.engines.write.connect() as connection:
        [counted] = measured(connection, "query", kernel.clock() - timedelta(hours=1))
    return counted.results


def test_an_answer_says_how_fresh_it_is(kernel: Kernel) -> None:
    add(kernel, 2)
    kernel.runner.advance("counters")
    answer = kernel.queries.ask(A, ASKER)
    assert answer.value == CounterView("a", 2, 2)
    assert (answer.freshness.lag_events, answer.freshness.state) == (0, "current")
    assert answer.freshness.position == 2
    add(kernel, 3)
    behind = kernel.queries.ask(A, ASKER)
    assert behind.value == CounterView("a", 2, 2)
    assert behind.freshness.lag_events == 3
    assert behind.freshness.lag_seconds > 0


def test_lag_turns_amber_and_red_with_time(
    make_kernel: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = make_kernel()
    add(kernel)
    gauge = kernel.queries._gauge
    now = kernel.clock()
    for seconds, state in ((1, "current"), (20, "behind"), (100, "stale")):
        from datetime import timedelta

        monkeypatch.setattr(gauge, "_clock", lambda s=seconds: now + timedelta(seconds=s))
        assert kernel.queries.ask(A, ASKER).freshness.state == state


def test_without_the_permission_nothing_is_answered(kernel: Kernel) -> None:
    with pytest.raises(NotAllowed):
        kernel.queries.ask(A, QueryContext(actor=Actor("eve")))
    assert results(kernel) == {"refused": 1}


def test_the_second_answer_comes_from_the_cache(kernel: Kernel) -> None:
    add(kernel, 2)
    kernel.runner.advance("counters")
    first, second = kernel.queries.ask(A, ASKER), kernel.queries.ask(A, ASKER)
    assert second.value == first.value
    assert (first.freshness.cached, second.freshness.cached) == (False, True)
    assert results(kernel) == {"miss": 1, "hit": 1}


def test_an_advanced_projection_makes_its_cached_answers_old(kernel: Kernel) -> None:
    add(kernel, 2)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    add(kernel)
    kernel.runner.advance("counters")
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 3, 3)
    assert results(kernel) == {"miss": 2}


def test_while_one_computes_others_get_the_old_answer_with_its_age(kernel: Kernel) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    first = kernel.queries.ask(A, ASKER)
    add(kernel)
    kernel.runner.advance("counters")
    key = next(k for k in kernel.redis.scan_iter("countersign:cache:*")).decode()
    kernel.redis.set(f"{key}:flight", 1, px=5000)
    old = kernel.queries.ask(A, ASKER)
    assert old.value == first.value
    assert old.freshness.as_of == kernel.store.recorded_after(first.freshness.position)
    assert old.freshness.lag_events == 1
    assert results(kernel) == {"miss": 1, "stale_hit": 1}


def test_a_stampede_computes_once(make_kernel: Callable[..., Kernel]) -> None:
    calls = []

    def slow(question: GetCounter, connection: object) -> CounterView | None:
        calls.append(question)
        time.sleep(0.3)
        return CounterView("a", 1, 1)

    kernel = make_kernel(area=replace(shop(), answers={GetCounter: projected(slow)}))
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(kernel.queries.ask(A, ASKER).value))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [CounterView("a", 1, 1)] * 6
    assert len(calls) == 1


@query(label="Both", permission="counters.view", reads=("counters", "projection_control"))
class GetBoth(Query):
    counter_id: str


@pytest.mark.parametrize(
    ("ahead", "behind"), [GetBoth.declaration.reads, GetBoth.declaration.reads[::-1]]
)
def test_of_two_projections_the_one_behind_says_how_fresh_the_answer_is(
    make_kernel: Callable[..., Kernel], ahead: str, behind: str
) -> None:
    def both(question: GetBoth, connection: Connection) -> None: ...

    kernel = make_kernel(area=replace(shop(), answers={GetBoth: projected(both)}))
    add(kernel, 2)
    kernel.runner.advance(behind)
    add(kernel, 3)
    kernel.runner.advance(ahead)
    freshness = kernel.queries.ask(GetBoth(counter_id="a"), ASKER).freshness
    assert (freshness.position, freshness.lag_events) == (2, 3)
    assert freshness.as_of == kernel.store.recorded_after(2)


def test_a_projection_that_followed_another_log_is_known_to_hold_nothing(kernel: Kernel) -> None:
    add(kernel, 3)
    kernel.runner.advance("counters")
    with kernel.engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(position=99))
    answer = kernel.queries.ask(A, ASKER)
    assert (answer.freshness.state, answer.freshness.lag_events) == ("failed", 3)
    assert answer.freshness.as_of == kernel.store.recorded_after(0)
    assert answer.to_dict()["stale"]
    seen = replace(ASKER, seen=MinVersion("counter-a", 3), wait=60.0)
    began = time.monotonic()
    assert kernel.queries.ask(A, seen).stale
    assert time.monotonic() - began < 30


def change_rows(kernel: Kernel, value: int) -> None:
    """Change the rows at an unchanged position of the log, as if they had been wrong or
    restored."""
    with kernel.engines.read.begin() as connection:
        connection.execute(update(counters).values(value=value))


def test_after_a_rebuild_the_rows_are_read_again_although_no_event_came(kernel: Kernel) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    change_rows(kernel, 7)
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 7, 1)
    kernel.runner.rebuild("counters", lambda done, total: None)
    answer = kernel.queries.ask(A, ASKER)
    assert (answer.value, answer.freshness.cached) == (CounterView("a", 1, 1), False)


POISONED = {"projection": "counters", "stream": "counter-poison"}


@pytest.mark.parametrize(
    ("repair", "value"),
    [
        (RetryParkedEvents(**POISONED), 3),
        (SkipParkedEvent(**POISONED, reason="It is not ours."), 2),
    ],
)
def test_after_a_repair_the_rows_are_read_again(
    kernel: Kernel, repair: Command, value: int
) -> None:
    poison = GetCounter(counter_id="poison")
    for _ in range(3):
        kernel.commands.execute(Add(counter_id="poison"), by_ana())
    kernel.runner.advance("counters")
    assert kernel.queries.ask(poison, ASKER).value == CounterView("poison", 1, 1)
    kernel.registry.projections["counters"].cured = True  # type: ignore[attr-defined]
    kernel.commands.execute(repair, by_ana())
    kernel.runner.advance("projection_control")
    answer = kernel.queries.ask(poison, ASKER)
    assert (answer.value, answer.freshness.cached) == (CounterView("poison", value, 3), False)


def test_a_store_restored_from_a_backup_does_not_come_to_a_revision_it_had(kernel: Kernel) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    with kernel.engines.read.connect() as connection:
        backup = connection.execute(select(checkpoints)).all()
    add(kernel)
    kernel.runner.advance("counters")
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 2, 2)
    with kernel.engines.read.begin() as connection:
        connection.execute(delete(checkpoints))
        connection.execute(insert(checkpoints), [row._asdict() for row in backup])
    change_rows(kernel, 10)
    kernel.runner.advance("counters")
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 11, 2)


def test_an_answer_that_took_long_is_not_used_as_a_current_one(kernel: Kernel) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    [key] = kernel.redis.keys("countersign:cache:GetCounter:*")
    slow = kernel.redis.get(key)
    add(kernel)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    kernel.redis.set(key, slow)
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 2, 2)


@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe", b"{}", b'{"positions":{},"revisions":{},"value":[1]}', b"null"]
)
def test_what_cannot_be_read_is_a_miss(kernel: Kernel, garbage: bytes) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    [key] = kernel.redis.keys("countersign:cache:GetCounter:*")
    kernel.redis.set(key, garbage)
    answer = kernel.queries.ask(A, ASKER)
    assert (answer.value, answer.freshness.cached) == (CounterView("a", 1, 1), False)
    assert kernel.queries.ask(A, ASKER).freshness.cached


def test_releases_whose_answers_have_another_shape_keep_them_apart(
    kernel: Kernel, make_kernel: Callable[..., Kernel]
) -> None:
    @dataclass(frozen=True)
    class Newer:
        counter_id: str
        value: int
        colour: str = "unknown"

    def newer(question: GetCounter, connection: Connection) -> Newer:
        return Newer(question.counter_id, 1, "red")

    newer.__annotations__["return"] = Newer
    later = make_kernel(area=replace(shop(), answers={GetCounter: projected(newer)}))
    add(kernel)
    kernel.runner.advance("counters")
    for _ in range(2):
        assert kernel.queries.ask(A, ASKER).value == CounterView("a", 1, 1)
        assert later.queries.ask(A, ASKER).value == Newer("a", 1, "red")


def test_invalidating_by_pattern_forgets_matching_answers_only(kernel: Kernel) -> None:
    kernel.queries.ask(A, ASKER)
    assert kernel.cache.invalidate("*Orders") == 0
    kernel.cache.store(kernel.cache.key("GetCounters", b"", b""), Entry({}, {}, Raw(b"1")))
    assert kernel.cache.invalidate("GetCounter") == 1
    kernel.queries.ask(A, ASKER)
    assert results(kernel) == {"miss": 2}


def test_a_flushed_redis_only_costs_a_miss(kernel: Kernel, redis_url: str) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    Redis.from_url(redis_url).flushall()
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 1, 1)
    assert kernel.queries.ask(A, ASKER).freshness.cached


def test_without_redis_questions_pass_through_and_commands_go_on(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(redis="unix:///nowhere/redis.sock")
    add(kernel)
    kernel.wake_ups.flush()
    kernel.runner.advance("counters")
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 1, 1)
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 1, 1)
    assert kernel.wake_ups.missed >= 1


def test_caching_can_be_switched_off(make_kernel: Callable[..., Kernel]) -> None:
    kernel = make_kernel(queries=QueryOptions(caching=False))
    kernel.queries.ask(A, ASKER)
    kernel.queries.ask(A, ASKER)
    assert results(kernel) == {"uncached": 2}


def test_a_strong_answer_is_folded_from_the_events(kernel: Kernel) -> None:
    add(kernel, 4)
    answer = kernel.queries.ask(A, QueryContext(actor=ANA, strong=True))
    assert answer.value == CounterView("a", 4, 4)
    assert answer.freshness.state == "current"
    assert kernel.queries.ask(A, ASKER).value is None


def test_reading_ones_own_write_waits_until_it_is_there(kernel: Kernel) -> None:
    add(kernel)
    seen = QueryContext(actor=ANA, seen=MinVersion("counter-a", 1), wait=10)
    threading.Timer(0.2, kernel.runner.advance, args=("counters",)).start()
    answer = kernel.queries.ask(A, seen)
    assert answer.value == CounterView("a", 1, 1)
    assert not answer.stale


def test_reading_ones_own_write_answers_stale_after_the_wait(kernel: Kernel) -> None:
    add(kernel)
    answer = kernel.queries.ask(
        A, QueryContext(actor=ANA, seen=MinVersion("counter-a", 1), wait=0.1)
    )
    assert answer.value is None
    assert answer.stale


def test_nobody_waits_for_a_version_that_cannot_come(kernel: Kernel) -> None:
    add(kernel)
    for _ in range(2):
        kernel.commands.execute(Add(counter_id="poison"), by_ana())
    kernel.runner.advance("counters")
    began = time.monotonic()
    for stream, version in (("counter-a", 2), ("counter-nobody", 1), ("counter-poison", 2)):
        seen = QueryContext(actor=ANA, seen=MinVersion(stream, version), wait=60)
        assert kernel.queries.ask(A, seen).stale
    assert not kernel.queries.ask(
        A, QueryContext(actor=ANA, seen=MinVersion("counter-a", 0), wait=60)
    ).stale
    assert time.monotonic() - began < 30


def test_so_many_wait_at_once_and_two_of_one_actor(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(queries=QueryOptions(max_waiting=3))
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    stale: list[bool] = []

    def ask(name: str) -> None:
        actor = Actor(name, ANA.permissions)
        seen = QueryContext(actor=actor, seen=MinVersion("counter-a", 1), wait=60)
        stale.append(kernel.queries.ask(A, seen).stale)

    threads = [
        threading.Thread(target=ask, args=(name,)) for name in ("ana", "ana", "ana", "bob", "eve")
    ]
    for each in threads:
        each.start()
    # One of ana's, and one of those beyond three, is answered at once.
    assert eventually(lambda: len(stale) == 2)
    kernel.runner.advance("counters")
    for each in threads:
        each.join(60)
    assert stale == [True, True, False, False, False]


def test_a_parked_write_is_stale_although_the_checkpoint_is_past_it(kernel: Kernel) -> None:
    for _ in range(2):
        kernel.commands.execute(Add(counter_id="poison"), by_ana())
    kernel.runner.advance("counters")
    asker = QueryContext(actor=ANA, seen=MinVersion("counter-poison", 2), wait=0.05)
    answer = kernel.queries.ask(GetCounter(counter_id="poison"), asker)
    assert answer.stale
    assert answer.freshness.parked == 1
    assert answer.freshness.lag_events == 0


def test_a_paused_projection_is_said_on_its_answers(kernel: Kernel) -> None:
    from cqrs_app.platform.runtime.commands import PauseProjection

    kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    kernel.runner.advance("projection_control")
    assert kernel.queries.ask(A, ASKER).freshness.state == "paused"


def test_the_query_engine_cannot_write(kernel: Kernel) -> None:
    with pytest.raises(Exception, match=r"read.?only"), kernel.engines.query.begin() as connection:
        connection.execute(counters.delete())


def test_a_stream_that_cannot_be_folded_is_told_not_a_fault(kernel: Kernel) -> None:
    for _ in range(2):
        kernel.commands.execute(Add(counter_id="poison"), by_ana())
    with pytest.raises(Refused, match="cannot be applied"):
        kernel.queries.ask(GetCounter(counter_id="poison"), QueryContext(actor=ANA, strong=True))
