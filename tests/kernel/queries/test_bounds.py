"""How fresh an answer has to be: bounds, and replicas that are behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.errors import BeyondHead, TooStale
from cqrs_app.kernel.queries.bounds import Bounds
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.statistics import measured
from cqrs_app.kernel.store.tables import checkpoints
from cqrs_app.platform.runtime.commands import PauseProjection
from tests.kernel.conftest import ANA, ASKER, by_ana, engine_on, make_tables
from tests.kernel.shop import Add, CounterView, GetCounter, counters
from tests.services.stores import Templates

A = GetCounter(counter_id="a")


def add(kernel: Kernel, times: int = 1) -> None:
    for _ in range(times):
        kernel.commands.execute(Add(counter_id="a"), by_ana())


def within(wait: float = 0.0, **bounds: float) -> QueryContext:
    return QueryContext(actor=ANA, wait=wait, bounds=Bounds(**bounds))  # type: ignore[arg-type]


def test_an_answer_behind_the_position_asked_for_is_refused_with_what_there_is(
    kernel: Kernel,
) -> None:
    add(kernel, 2)
    kernel.runner.advance("counters")
    add(kernel)
    assert kernel.queries.ask(A, within(min_position=2)).value == CounterView("a", 2, 2)
    with pytest.raises(TooStale) as raised:
        kernel.queries.ask(A, within(min_position=3))
    assert raised.value.position == 2
    assert "asked for position 3, the answer has position 2" in raised.value.sentence


def test_an_answer_that_lacks_older_events_than_allowed_is_refused(kernel: Kernel) -> None:
    add(kernel)
    assert kernel.queries.ask(A, within(max_staleness=60)).value is None
    time.sleep(0.02)
    with pytest.raises(TooStale, match=r"at most 0\.01 seconds of lag"):
        kernel.queries.ask(A, within(max_staleness=0.01))
    kernel.runner.advance("counters")
    assert kernel.queries.ask(A, within(max_staleness=0)).value == CounterView("a", 1, 1)


@pytest.mark.parametrize("bounds", [{"min_position": 1}, {"max_staleness": 0}])
def test_a_bound_is_waited_for(kernel: Kernel, bounds: dict[str, float]) -> None:
    add(kernel)
    timer = threading.Timer(0.1, kernel.runner.advance, args=("counters",))
    timer.start()
    assert kernel.queries.ask(A, within(wait=10, **bounds)).value == CounterView("a", 1, 1)
    timer.join()


def test_nobody_waits_for_a_position_that_the_log_does_not_have(kernel: Kernel) -> None:
    add(kernel)
    with pytest.raises(BeyondHead, match="ends at position 1: there is no position 2"):
        kernel.queries.ask(A, within(wait=60, min_position=2))


def test_an_answer_that_the_asker_finds_too_old_is_no_failure_of_the_query(kernel: Kernel) -> None:
    add(kernel)
    for position, error in ((1, TooStale), (2, BeyondHead)):
        with pytest.raises(error):
            kernel.queries.ask(A, within(min_position=position))
    kernel.statistics.flush()
    with kernel.engines.write.connect() as connection:
        [counted] = measured(connection, "query", kernel.clock() - timedelta(hours=1))
    assert counted.results == {"refused": 2}


def test_nobody_waits_for_a_projection_that_is_paused(kernel: Kernel) -> None:
    add(kernel)
    kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    kernel.runner.advance("projection_control")
    with pytest.raises(TooStale, match="A read model is paused"):
        kernel.queries.ask(A, within(wait=60, min_position=1))


@pytest.mark.parametrize("bounds", [{"min_position": 2}, {"max_staleness": 0}, {"not_before": 2}])
def test_an_answer_in_the_cache_that_is_older_than_allowed_is_a_miss(
    kernel: Kernel, bounds: dict[str, float]
) -> None:
    add(kernel)
    kernel.runner.advance("counters")
    kernel.queries.ask(A, ASKER)
    add(kernel)
    kernel.runner.advance("counters")
    key = next(k for k in kernel.redis.scan_iter("countersign:cache:*")).decode()
    kernel.redis.set(f"{key}:flight", 1, px=60_000)
    assert kernel.queries.ask(A, ASKER).value == CounterView("a", 1, 1)
    assert kernel.queries.ask(A, within(**bounds)).value == CounterView("a", 2, 2)


@pytest.fixture
def replica(
    kind: str,
    templates: Templates,
    tmp_path: Path,
    engines: Engines,
) -> Iterator[Engines]:
    """Engines whose queries go to a replica, which `replicate` brings up to date."""
    with templates.copy(kind, make_tables, tmp_path / "replica") as databases:
        query = engine_on(databases.read_url, read_only=True)
        yield replace(engines, query=query)
        query.dispose()


@pytest.fixture
def replicated(replica: Engines, make_kernel: Callable[..., Kernel]) -> Kernel:
    return make_kernel(engines=replica)


def replicate(kernel: Kernel) -> None:
    target = engine_on(kernel.engines.query.url.render_as_string(hide_password=False))
    with kernel.engines.read.connect() as source, target.begin() as connection:
        for table in (checkpoints, counters):
            rows = [dict(row._mapping) for row in source.execute(select(table))]
            connection.execute(delete(table))
            if rows:
                connection.execute(insert(table), rows)
    target.dispose()


def test_a_replica_that_is_behind_what_was_seen_is_not_asked(replicated: Kernel) -> None:
    add(replicated)
    replicated.runner.advance("counters")
    replicate(replicated)
    add(replicated)
    replicated.runner.advance("counters")
    old = replicated.queries.ask(A, ASKER)
    assert (old.value, old.freshness.furthest) == (CounterView("a", 1, 1), 1)
    for bounds in ({"not_before": 2}, {"min_position": 2}, {"max_staleness": 0}):
        found = replicated.queries.ask(A, within(**bounds))
        assert (found.value, found.freshness.furthest) == (CounterView("a", 2, 2), 2)
    assert replicated.queries.ask(A, within(not_before=1)).value == old.value


def test_what_was_seen_is_no_reason_to_refuse(replicated: Kernel) -> None:
    """Such as after the read store was restored from a backup."""
    add(replicated)
    replicated.runner.advance("counters")
    assert replicated.queries.ask(A, within(not_before=9)).value == CounterView("a", 1, 1)
