"""Subscriptions with effects: once in effect, in the log's order, and on the log they followed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import BigInteger, Column, Connection, String, Table, select, text

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.tables import subscription_parked
from cqrs_app.kernel.subscriptions.cursors import Cursor, cursors_in
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.runtime.commands import (
    PauseProjection,
    ResumeProjection,
    RetryParkedEvents,
    SkipParkedEvent,
)
from cqrs_app.processes.sweep import Sweep
from tests.kernel.conftest import by_ana
from tests.kernel.control import control_of
from tests.kernel.shop import Add, Added, Poison, Take, shop, test_tables

# Without a key, so that an event processed twice has two rows.
letters = Table(
    "test_letters",
    test_tables,
    Column("counter_id", String(60), nullable=False),
    Column("amount", BigInteger, nullable=False),
)


class Letters(Subscription):
    """Writes a row for each Added; raises for the second of a counter named poison."""

    name: ClassVar[str] = "letters"
    events: ClassVar[tuple[type[Event], ...] | None] = (Added,)
    cured = False

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        for recorded in batch:
            event = recorded.event
            assert isinstance(event, Added)
            if event.counter_id == "poison" and recorded.version == 2 and not self.cured:
                raise Poison("this cannot be written")
            connection.execute(
                letters.insert().values(counter_id=event.counter_id, amount=event.amount)
            )


@pytest.fixture
def letters_to() -> Letters:
    return Letters()


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel], letters_to: Letters, engines: Engines) -> Kernel:
    letters.create(engines.write)
    return make_kernel(area=replace(shop(), subscriptions=[letters_to]), batch=4)


def add(kernel: Kernel, counter: str = "a", amount: int = 1) -> None:
    kernel.commands.execute(Add(counter_id=counter, amount=amount), by_ana())


def act(kernel: Kernel, command: Any) -> None:
    kernel.commands.execute(command, by_ana())
    kernel.runner.advance("subscription_control")


def written(engines: Engines) -> list[tuple[str, int]]:
    with engines.write.connect() as connection:
        return [tuple(row) for row in connection.execute(select(letters))]  # type: ignore[misc]


def cursor_of(kernel: Kernel) -> Cursor:
    return kernel.runner.cursors("write")["letters"]


def parked(engines: Engines) -> list[tuple[str, int, bool]]:
    columns = subscription_parked.c
    with engines.write.connect() as connection:
        found = select(columns.stream, columns.version, columns.culprit).order_by(columns.position)
        return [tuple(row) for row in connection.execute(found)]  # type: ignore[misc]


def test_only_wanted_events_are_taken_in_and_the_cursor_passes_the_others(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 5)
    kernel.commands.execute(Take(counter_id="a", amount=2), by_ana())
    add(kernel, "b", 7)
    kernel.commands.execute(Take(counter_id="b", amount=2), by_ana())
    assert kernel.runner.advance("letters") == 4
    assert written(engines) == [("a", 5), ("b", 7)]
    cursor, last = cursor_of(kernel), kernel.store.follow(3, 1)[0]
    assert (cursor.position, cursor.hash, cursor.applied) == (4, last.hash, 4)


def test_two_runners_at_once_take_each_event_in_once(
    kernel: Kernel, engines: Engines, letters_to: Letters
) -> None:
    for amount in range(1, 21):
        add(kernel, "a", amount)
    both_have_read = threading.Barrier(2)
    kernel.runner._store.follow = _after(kernel.runner._store.follow, both_have_read)  # type: ignore[method-assign]
    threads = [threading.Thread(target=kernel.runner.advance, args=("letters",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert written(engines) == [("a", amount) for amount in range(1, 21)]
    assert cursor_of(kernel).position == 20


def _after(follow: Any, both_have_read: threading.Barrier) -> Any:
    """Both threads read the same events the first time, whichever is faster."""
    first = threading.local()

    def reading(after: int, limit: int) -> Any:
        found = follow(after, limit)
        if not hasattr(first, "done"):
            first.done = True
            both_have_read.wait(60)
        return found

    return reading


def test_a_subscription_that_is_paused_meanwhile_takes_in_nothing(
    kernel: Kernel, engines: Engines, letters_to: Letters
) -> None:
    """Between the reading of the log and the transaction that would have moved it."""
    add(kernel)
    kernel.commands.execute(PauseProjection(projection="letters"), by_ana())
    decode_all = kernel.registry.codec.decode_all

    def paused_first(stored: Any) -> Any:
        kernel.registry.codec.decode_all = decode_all  # type: ignore[method-assign]
        kernel.runner.advance("subscription_control")
        return decode_all(stored)

    kernel.registry.codec.decode_all = paused_first  # type: ignore[method-assign]
    assert kernel.runner.advance("letters") == 0
    assert written(engines) == []
    assert (cursor_of(kernel).position, cursor_of(kernel).state) == (0, "paused")


def test_pausing_and_resuming_work_for_a_subscription_in_the_write_store(
    kernel: Kernel, engines: Engines
) -> None:
    act(kernel, PauseProjection(projection="letters"))
    add(kernel)
    assert kernel.runner.advance("letters") == 0
    assert "letters" not in kernel.runner.behind()
    act(kernel, ResumeProjection(projection="letters"))
    kernel.runner.advance("letters")
    assert written(engines) == [("a", 1)]
    assert kernel.runner.cursors("read")["counters"].state == "running"


def test_a_poison_event_is_parked_and_others_go_on_until_it_is_cured(
    kernel: Kernel, engines: Engines, letters_to: Letters
) -> None:
    for amount in (1, 2, 3):
        add(kernel, "poison", amount)
        add(kernel, "a", amount)
    kernel.runner.advance("letters")
    assert written(engines) == [("poison", 1), ("a", 1), ("a", 2), ("a", 3)]
    assert parked(engines) == [("counter-poison", 2, True), ("counter-poison", 3, False)]
    letters_to.cured = True
    act(kernel, RetryParkedEvents(projection="letters", stream="counter-poison"))
    assert written(engines)[4:] == [("poison", 2), ("poison", 3)]
    assert parked(engines) == []


def test_skipping_leaves_out_one_event_once(
    kernel: Kernel, engines: Engines, letters_to: Letters
) -> None:
    for amount in (1, 2, 3):
        add(kernel, "poison", amount)
    kernel.runner.advance("letters")
    skip = SkipParkedEvent(projection="letters", stream="counter-poison", reason="entered twice")
    act(kernel, skip)
    kernel.runner.advance("projection_control")
    assert written(engines) == [("poison", 1), ("poison", 3)]
    assert parked(engines) == []


def test_a_type_of_a_newer_release_stops_it_and_nothing_is_passed_over(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 1)
    with engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET type = 'FromTheFuture'"))
    add(kernel, "b", 2)
    assert kernel.runner.advance("letters") == 0
    assert (cursor_of(kernel).state, written(engines)) == ("failed", [])
    assert "FromTheFuture" in (cursor_of(kernel).error or "")
    with engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET type = 'Added'"))
    kernel.runner.advance("letters")
    assert written(engines) == [("a", 1), ("b", 2)]
    assert cursor_of(kernel).state == "running"


def test_another_event_at_its_position_stops_it_until_somebody_resumes_it(
    kernel: Kernel, engines: Engines
) -> None:
    add(kernel, "a", 1)
    add(kernel, "a", 2)
    kernel.runner.advance("letters")
    with engines.write.begin() as connection:
        other = {"hash": bytes(31) + b"x"}
        connection.execute(text("UPDATE events SET hash = :hash WHERE position = 2"), other)
    add(kernel, "b", 3)
    assert kernel.runner.advance("letters") == 0
    assert "at position 2 there is another event" in (cursor_of(kernel).error or "")
    assert written(engines) == [("a", 1), ("a", 2)]
    act(kernel, PauseProjection(projection="letters"))
    act(kernel, ResumeProjection(projection="letters"))
    kernel.runner.advance("letters")
    assert written(engines) == [("a", 1), ("a", 2), ("b", 3)]
    assert cursor_of(kernel).state == "running"


def test_a_shorter_log_is_followed_from_its_end_once_it_is_resumed(
    kernel: Kernel, engines: Engines
) -> None:
    for amount in (1, 2, 3):
        add(kernel, f"c{amount}", amount)
    kernel.runner.advance("letters")
    with engines.write.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE position > 1"))
    assert "letters" in kernel.runner.behind()
    kernel.runner.advance("letters")
    assert "at position 3 there is no event" in (cursor_of(kernel).error or "")
    with engines.write.begin() as connection:
        control_of(kernel).resume(connection, "letters")
    assert cursor_of(kernel).position == 1
    add(kernel, "d", 4)
    kernel.runner.advance("letters")
    assert written(engines)[3:] == [("d", 4)]


def test_with_a_new_cursor_what_is_done_once_is_done_only_for_later_events(
    kernel: Kernel, engines: Engines, letters_to: Letters
) -> None:
    letters_to.once = frozenset({"Added"})  # type: ignore[misc]
    for counter in "ab":
        add(kernel, counter)
    with engines.write.begin() as connection:
        cursors_in("write").delete(connection, "letters")
    kernel.runner.prepare()
    add(kernel, "c")
    kernel.runner.advance("letters")
    assert written(engines) == [("c", 1)]


class Chore(BackgroundTask):
    """Does nothing but count, or fail."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name  # type: ignore[misc]
        self._fails = fails
        self.done: list[str] = []

    def due(self, kernel: Kernel) -> list[str]:
        if self._fails:
            raise RuntimeError("no")
        return ["one"]

    def work(self, kernel: Kernel, key: str) -> bool:
        self.done.append(key)
        return False

    def housekeep(self, kernel: Kernel) -> None:
        if self._fails:
            raise RuntimeError("no")
        self.done.append("tidied")


def test_one_task_that_raises_holds_up_neither_the_others_nor_the_sweep(
    make_kernel: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.0)
    failing, working = Chore("failing", fails=True), Chore("working")
    kernel = make_kernel(area=replace(shop(), tasks=[failing, working]))
    add(kernel)
    Sweep(kernel).once()
    kernel.tasks["working"].join(60)
    assert sorted(working.done) == ["one", "tidied"]
    assert kernel.runner.behind() == {}


def test_whoever_cannot_be_passed_over_is_advanced_by_the_sweep(
    kernel: Kernel, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.sweep.PATIENCE_SECONDS", 0.0)

    def fails(behind: object) -> set[str]:
        raise RuntimeError("no")

    monkeypatch.setattr(kernel.runner, "pass_over", fails)
    add(kernel, "a", 5)
    Sweep(kernel).once()
    assert written(engines) == [("a", 5)]
    assert kernel.runner.behind() == {}


def test_the_sweep_seals_on_until_nothing_is_left_and_then_once_a_minute(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [False, True, True]
    monkeypatch.setattr(kernel.seals, "extend", more.pop)
    sweep = Sweep(kernel)
    for left in (2, 1, 0, 0):
        sweep.once()
        assert len(more) == left


def test_closing_waits_for_what_the_sweep_has_begun(make_kernel: Callable[..., Kernel]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Chore):
        def work(self, kernel: Kernel, key: str) -> bool:
            begun.set()
            go_on.wait(60)
            return super().work(kernel, key)

    slow = Slow("slow")
    kernel = make_kernel(area=replace(shop(), tasks=[slow]))
    kernel.tasks["slow"].look_after(patience=0)
    assert begun.wait(60)
    closing = threading.Thread(target=kernel.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    go_on.set()
    closing.join(60)
    assert slow.done == ["one"]


def test_a_task_is_known_by_its_name() -> None:
    from cqrs_app.kernel.registry import Registry

    with pytest.raises(ValueError, match="two background tasks are called same"):
        Registry([replace(shop(), tasks=[Chore("same"), Chore("same")])])
    with pytest.raises(ValueError, match="two subscriptions are called counters"):
        Registry([shop(), replace(shop(), name="other")])
