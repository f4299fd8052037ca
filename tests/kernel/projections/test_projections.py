"""Projections: exactly once in effect, even after a crash. Poison events are parked, never
skipped."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.store import tables
from cqrs_app.platform.runtime.commands import (
    PauseProjection,
    ResumeProjection,
    RetryParkedEvents,
    SkipParkedEvent,
)
from cqrs_app.processes.sweep import Sweep
from tests.kernel.conftest import JOBS, LOADED, by_ana, engine_on, vault_on
from tests.kernel.shop import Add, Take, counters, shop

CONTROLS = ["projection_control", "subscription_control"]


def add(kernel: Kernel, counter: str = "a", times: int = 1) -> None:
    for _ in range(times):
        kernel.commands.execute(Add(counter_id=counter), by_ana())


def shown(engines: Engines) -> dict[str, tuple[int, int]]:
    with engines.query.connect() as connection:
        rows = connection.execute(select(counters))
        return {row.counter_id: (row.value, row.applied_version) for row in rows}


def checkpoint(engines: Engines, name: str = "counters"):  # type: ignore[no-untyped-def]
    found = select(tables.checkpoints).where(tables.checkpoints.c.subscription == name)
    with engines.read.connect() as connection:
        return connection.execute(found).one()


def parked(engines: Engines) -> list[tuple[str, int, bool]]:
    found = select(tables.parked_events).order_by(tables.parked_events.c.position)
    with engines.read.connect() as connection:
        return [(r.stream, r.version, r.culprit) for r in connection.execute(found)]


def test_advancing_brings_rows_and_checkpoint_up_together(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 3)
    add(kernel, "b", 2)
    assert [*kernel.runner.behind()] == ["counters", *CONTROLS]
    assert kernel.runner.advance("counters") == 5
    assert shown(engines) == {"a": (3, 3), "b": (2, 2)}
    assert checkpoint(engines).position == 5
    assert kernel.runner.advance("counters") == 0
    assert [*kernel.runner.behind()] == CONTROLS


def test_more_events_than_a_batch_are_taken_in_all(
    make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    kernel = make_kernel(batch=7)
    add(kernel, "a", 30)
    assert kernel.runner.advance("counters") == 30
    assert shown(engines) == {"a": (30, 30)}


def test_two_runners_at_once_apply_each_event_once(
    make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    kernel = make_kernel(batch=3)
    add(kernel, "a", 40)
    threads = [threading.Thread(target=kernel.runner.advance, args=("counters",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown(engines) == {"a": (40, 40)}
    assert checkpoint(engines).position == 40


def test_a_poison_event_is_parked_with_its_stream_and_the_others_go_on(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "poison", 3)
    add(kernel, "a", 2)
    kernel.runner.advance("counters")
    assert shown(engines) == {"poison": (1, 1), "a": (2, 2)}
    assert parked(engines) == [("counter-poison", 2, True), ("counter-poison", 3, False)]
    add(kernel, "poison")
    add(kernel, "a")
    kernel.runner.advance("counters")
    assert parked(engines)[-1] == ("counter-poison", 4, False)
    assert shown(engines) == {"poison": (1, 1), "a": (3, 3)}
    with engines.read.connect() as connection:
        found = select(tables.parked_events).where(tables.parked_events.c.culprit)
        culprit = connection.execute(found).first()
    assert culprit is not None
    assert culprit.error == "Poison: this cannot be applied"
    assert "test" in culprit.traceback or "shop.py" in culprit.traceback


def test_retrying_before_the_cure_keeps_the_events_parked(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "poison", 3)
    kernel.runner.advance("counters")
    kernel.commands.execute(
        RetryParkedEvents(projection="counters", stream="counter-poison"), by_ana()
    )
    kernel.runner.advance("projection_control")
    assert len(parked(engines)) == 2
    with engines.read.connect() as connection:
        attempts = connection.execute(select(tables.parked_events.c.attempts)).scalars()
        assert sorted(attempts) == [0, 2]


def test_retrying_after_the_cure_applies_them_in_order(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "poison", 3)
    kernel.runner.advance("counters")
    kernel.registry.projections["counters"].cured = True  # type: ignore[attr-defined]
    kernel.commands.execute(
        RetryParkedEvents(projection="counters", stream="counter-poison"), by_ana()
    )
    kernel.runner.advance("projection_control")
    assert parked(engines) == []
    assert shown(engines) == {"poison": (3, 3)}


def test_skipping_leaves_one_event_out_and_goes_on_behind_it(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "poison", 4)
    kernel.runner.advance("counters")
    skip = SkipParkedEvent(
        projection="counters", stream="counter-poison", reason="it was entered twice"
    )
    kernel.commands.execute(skip, by_ana())
    kernel.runner.advance("projection_control")
    assert parked(engines) == []
    assert shown(engines) == {"poison": (3, 4)}


def test_a_paused_projection_waits_and_resumes_where_it_was(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 2)
    kernel.runner.advance("counters")
    kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    kernel.runner.advance("projection_control")
    add(kernel, "a", 2)
    assert kernel.runner.advance("counters") == 0
    assert checkpoint(engines).state == "paused"
    assert "counters" not in kernel.runner.behind()
    kernel.commands.execute(ResumeProjection(projection="counters"), by_ana())
    kernel.runner.advance("projection_control")
    kernel.runner.advance("counters")
    assert shown(engines) == {"a": (4, 4)}


def test_pausing_twice_or_an_unknown_projection_is_refused(kernel: Kernel) -> None:
    kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    with pytest.raises(Refused, match="already paused"):
        kernel.commands.execute(PauseProjection(projection="counters"), by_ana())
    with pytest.raises(Refused, match="no subscription called nothing"):
        kernel.commands.execute(PauseProjection(projection="nothing"), by_ana())


def test_a_rebuild_comes_to_the_same_rows_and_nobody_sees_an_emptied_table(
    make_kernel: Callable[..., Kernel], engines: Engines
) -> None:
    kernel = make_kernel(batch=5)
    add(kernel, "a", 12)
    add(kernel, "b", 3)
    kernel.runner.advance("counters")
    before = shown(engines)
    with engines.read.begin() as connection:
        connection.execute(update(counters).values(value=-1))
    seen_meanwhile = []

    def progress(done: int, total: int) -> None:
        seen_meanwhile.append((done, total, set(shown(engines))))

    assert kernel.runner.rebuild("counters", progress) == 15
    assert shown(engines) == before
    assert [done for done, _, _ in seen_meanwhile] == [5, 10, 15]
    assert {total for _, total, _ in seen_meanwhile} == {15}
    assert all(names == {"a", "b"} for _, _, names in seen_meanwhile)
    assert checkpoint(engines).position == 15


def test_an_event_type_nobody_knows_stops_the_projection_and_says_so(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 2)
    with engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET type = 'FromTheFuture' WHERE version = 2"))
    assert kernel.runner.advance("counters") == 0
    assert shown(engines) == {}
    assert checkpoint(engines).state == "failed"
    assert "FromTheFuture" in checkpoint(engines).error
    with engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET type = 'Added'"))
    kernel.runner.advance("counters")
    assert shown(engines) == {"a": (2, 2)}
    assert checkpoint(engines).state == "running"


def test_a_projection_of_a_newer_shape_asks_for_a_rebuild(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 2)
    with engines.read.begin() as connection:
        connection.execute(update(tables.checkpoints).values(version=0))
    assert kernel.runner.advance("counters") == 0
    assert "flask projections rebuild counters" in checkpoint(engines).error
    kernel.runner.rebuild("counters", lambda done, total: None)
    assert shown(engines) == {"a": (2, 2)}


def test_the_fold_of_a_stream_is_the_row_that_is_stored(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 5)
    rows = Rows()
    kernel.runner.fold("counters", ["counter-a"], rows)
    kernel.runner.advance("counters")
    assert rows.all(counters) == [{"counter_id": "a", "value": 5, "applied_version": 5}]
    assert shown(engines) == {"a": (5, 5)}


def test_the_sweep_finds_what_no_wake_up_told_of(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 2)
    kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id="queued"))
    sweep = Sweep(kernel)
    deadline = time.monotonic() + 10
    while shown(engines) != {"a": (3, 3)} and time.monotonic() < deadline:
        sweep.once()
        time.sleep(0.2)
    assert shown(engines) == {"a": (3, 3)}


def test_the_sweep_goes_on_behind_a_queued_command_that_is_refused(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.0)
    queued = {"1": Add(counter_id="a"), "2": Take(counter_id="b"), "3": Add(counter_id="c")}
    for command_id, command in queued.items():
        kernel.commands.enqueue(command, by_ana(command_id=command_id))
    Sweep(kernel).once()
    assert {name: entry.outcome for name, entry in kernel.log.find_many(queued).items()} == {
        "1": "succeeded",
        "2": "refused",
        "3": "succeeded",
    }


def test_the_sweep_leaves_a_projection_that_moves_on_to_whoever_moves_it(
    kernel: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.01)
    sweep = Sweep(kernel)
    add(kernel, "a")
    sweep.once()
    kernel.runner.advance("counters")
    add(kernel, "a")
    time.sleep(0.02)
    sweep.once()
    assert shown(engines) == {"a": (1, 1)}
    time.sleep(0.02)
    sweep.once()
    assert shown(engines) == {"a": (2, 2)}


def _advance_for_ever(write_url: str, read_url: str, redis_url: str, marker: str) -> None:
    from redis import Redis

    from cqrs_app.kernel.assembling import Assembly
    from cqrs_app.kernel.assembly import Tuning
    from cqrs_app.kernel.commands.options import BusOptions
    from cqrs_app.kernel.queries.bus import QueryOptions
    from cqrs_app.kernel.registry import Registry
    from cqrs_app.platform.runtime import runtime_area

    engines = Engines(
        write=engine_on(write_url),
        read=engine_on(read_url),
        query=engine_on(read_url, read_only=True),
    )
    redis = Redis.from_url(redis_url)
    kernel = Assembly(
        Registry([shop(), runtime_area(shop().projections)]),
        engines,
        redis=redis,
        cache_redis=redis,
        vault=vault_on(engines.write),
        commands=BusOptions(),
        queries=QueryOptions(),
        tuning=Tuning(projection_batch=4, amber_lag=5, red_lag=60, cache_ttl=60),
        jobs=JOBS,
    ).kernel()
    Path(marker).write_text("running")
    while True:
        kernel.runner.advance("counters")


def test_runners_killed_in_mid_batch_neither_lose_nor_double_an_event(
    make_kernel: Callable[..., Kernel],
    engines: Engines,
    urls: tuple[str, str],
    redis_url: str,
    tmp_path,  # type: ignore[no-untyped-def]
) -> None:
    kernel = make_kernel(batch=4)
    context = get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    for kill in range(4):
        marker = tmp_path / f"marker{kill}"
        process = context.Process(target=_advance_for_ever, args=(*urls, redis_url, str(marker)))
        process.start()
        deadline = time.monotonic() + 30
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert marker.exists()
        for number in range(15):
            add(kernel, f"c{number % 3}", 2)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    kernel.runner.advance("counters")
    assert shown(engines) == {f"c{n}": (40, 40) for n in range(3)}


def test_emptied_rows_come_back_with_a_rebuild(kernel: Kernel, engines: Engines) -> None:
    add(kernel, "a", 3)
    kernel.runner.advance("counters")
    with engines.read.begin() as connection:
        connection.execute(delete(counters))
    kernel.runner.rebuild("counters", lambda done, total: None)
    assert shown(engines) == {"a": (3, 3)}
