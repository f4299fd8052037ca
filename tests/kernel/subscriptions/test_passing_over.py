"""Subscriptions that want none of the next events are moved together, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.store.tables import events, subscription_cursors
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.runtime.commands import PauseProjection
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add, Added, Take, Taken, shop
from tests.services.statements import statements

BATCH = 4


class Follower(Subscription):
    """Keeps the versions that it was given."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        self.taken += [each.version for each in batch]


class OfAdded(Follower):
    name: ClassVar[str] = "of_added"
    events: ClassVar[tuple[type[Event], ...] | None] = (Added,)


class AlsoOfAdded(OfAdded):
    name: ClassVar[str] = "also_of_added"


class OfTaken(Follower):
    name: ClassVar[str] = "of_taken"
    events: ClassVar[tuple[type[Event], ...] | None] = (Taken,)


@pytest.fixture
def followers() -> list[Follower]:
    return [OfAdded(), AlsoOfAdded(), OfTaken()]


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel], followers: list[Follower]) -> Kernel:
    kernel = make_kernel(area=replace(shop(), subscriptions=followers), batch=BATCH)
    kernel.commands.execute(Add(counter_id="a", amount=9), by_ana())
    for name in kernel.runner.behind():
        kernel.runner.advance(name)
    return kernel


def take(kernel: Kernel) -> None:
    kernel.commands.execute(Take(counter_id="a", amount=1), by_ana())


def pass_over(kernel: Kernel) -> set[str]:
    passed = kernel.runner.pass_over(kernel.runner.behind("write"))
    return passed & {OfAdded.name, AlsoOfAdded.name, OfTaken.name}


def positions(kernel: Kernel) -> list[int]:
    cursors = kernel.runner.cursors("write")
    return [cursors[name].position for name in (OfAdded.name, AlsoOfAdded.name, OfTaken.name)]


def test_who_wants_none_of_the_next_events_is_at_their_end_and_the_others_where_they_were(
    kernel: Kernel, followers: list[Follower]
) -> None:
    take(kernel)
    take(kernel)
    before = kernel.runner.cursors("write")
    assert pass_over(kernel) == {"of_added", "also_of_added"}
    assert positions(kernel) == [3, 3, 1]
    after = kernel.runner.cursors("write")
    last = kernel.store.follow(2, 1)[0]
    assert [after[name].hash for name in ("of_added", "also_of_added")] == [last.hash] * 2
    assert after["of_added"].applied == before["of_added"].applied + 2
    revisions = {after[name].revision for name in ("of_added", "also_of_added")}
    assert len(revisions | {before["of_added"].revision, before["also_of_added"].revision}) == 4
    kernel.commands.execute(Add(counter_id="a", amount=1), by_ana())
    for name in kernel.runner.behind():
        kernel.runner.advance(name)
    assert [each.taken for each in followers] == [[1, 4], [1, 4], [2, 3]]


def test_as_many_statements_for_two_as_for_one(kernel: Kernel) -> None:
    take(kernel)
    behind = kernel.runner.behind("write")
    alone = {"of_added": behind.pop("of_added")}
    with statements() as of_one:
        assert kernel.runner.pass_over(alone) == {"of_added"}
    with statements() as of_others:
        assert "also_of_added" in kernel.runner.pass_over(behind)
    assert len(behind) > 1
    assert len(of_others) == len(of_one)


def test_those_in_the_write_store_are_moved_while_the_read_store_is_down(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(kernel)
    behind = kernel.runner.behind("write")

    def down(*_: object) -> None:
        raise OperationalError("connect", None, OSError("The read store is down."))

    monkeypatch.setattr(kernel.engines.read, "raw_connection", down)
    monkeypatch.setattr(kernel.engines.read.pool, "connect", down)
    with pytest.raises(OperationalError):
        kernel.runner.cursors("read")
    assert kernel.runner.pass_over(behind) >= {"of_added", "also_of_added"}
    assert positions(kernel) == [2, 2, 1]


@pytest.mark.parametrize("more", [0, 1, BATCH])
def test_after_a_full_batch_they_go_on_together(kernel: Kernel, more: int) -> None:
    for _ in range(BATCH + more):
        take(kernel)
    assert pass_over(kernel) == {"of_added", "also_of_added"}
    assert positions(kernel) == [5 + more, 5 + more, 1]


def test_after_a_full_batch_they_stop_before_what_they_want(kernel: Kernel) -> None:
    for _ in range(BATCH):
        take(kernel)
    kernel.commands.execute(Add(counter_id="a", amount=1), by_ana())
    assert pass_over(kernel) == set()
    assert positions(kernel) == [5, 5, 1]
    kernel.runner.advance_all(("of_added", "also_of_added", "of_taken"))
    assert positions(kernel) == [6, 6, 6]


def test_whoever_is_paused_or_has_another_shape_stays(kernel: Kernel, engines: Engines) -> None:
    kernel.commands.execute(PauseProjection(projection="of_added"), by_ana())
    for name in kernel.runner.behind():
        kernel.runner.advance(name)
    old = subscription_cursors.c.subscription == "also_of_added"
    with engines.write.begin() as connection:
        connection.execute(subscription_cursors.update().where(old).values(version=7))
    at = positions(kernel)[:2]
    take(kernel)
    assert pass_over(kernel) == set()
    assert positions(kernel)[:2] == at
    kernel.runner.advance("also_of_added")
    assert kernel.runner.cursors("write")["also_of_added"].state == "failed"


@pytest.mark.parametrize(
    ("version", "damage"), [(2, {"type": "FromTheFuture"}), (1, {"hash": bytes(32)})]
)
def test_nobody_passes_a_type_of_a_newer_release_or_follows_another_log(
    kernel: Kernel, engines: Engines, version: int, damage: dict[str, object]
) -> None:
    take(kernel)
    with engines.write.begin() as connection:
        connection.execute(update(events).where(events.c.version == version).values(damage))
    assert pass_over(kernel) == set()
    assert positions(kernel) == [1, 1, 1]
    kernel.runner.advance("of_added")
    assert kernel.runner.cursors("write")["of_added"].state == "failed"


def test_one_that_somebody_else_moves_meanwhile_is_neither_waited_for_nor_moved_again(
    kernel: Kernel, engines: Engines
) -> None:
    take(kernel)
    behind = kernel.runner.behind("write")
    kernel.runner.advance("of_added")
    assert "of_added" not in kernel.runner.pass_over(behind)
    assert positions(kernel) == [2, 2, 1]
    if engines.write.dialect.name == "sqlite":
        return  # one writer at a time
    take(kernel)
    behind = kernel.runner.behind("write")
    with engines.write.begin() as connection:
        lock = text("SELECT * FROM subscription_cursors WHERE subscription = :name FOR UPDATE")
        connection.execute(lock, {"name": "of_added"})
        assert "also_of_added" in kernel.runner.pass_over(behind)
    assert positions(kernel) == [2, 3, 1]
