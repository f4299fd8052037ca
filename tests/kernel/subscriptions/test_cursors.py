"""A cursor moves by compare-and-set: a runner that read it earlier moves it neither back nor
forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from cqrs_app.kernel.subscriptions.cursors import Cursor, Cursors, cursors_in
from cqrs_app.kernel.subscriptions.subscription import Overtaken, Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
HASH = bytes(32)
Meanwhile = Callable[[Cursors, Connection, Cursor], None]


@pytest.fixture
def cursors(store: Store) -> Cursors:
    return cursors_in(store)


@pytest.fixture
def engine(store_engine: Engine, cursors: Cursors) -> Engine:
    """With the cursors "one", which has moved to 2, and "two", which has not moved."""
    with store_engine.begin() as connection:
        cursors.ensure(connection, {"one": 1, "two": 1})
        cursors.move(connection, cursors.read(connection, ["one"])["one"], 2, HASH, 2, NOW)
    return store_engine


def positions(cursors: Cursors, engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {each.subscription: each.position for each in cursors.all(connection)}


def moved_on(cursors: Cursors, connection: Connection, seen: Cursor) -> None:
    cursors.move(connection, seen, 20, HASH, 18, NOW)


def rebuilt(cursors: Cursors, connection: Connection, seen: Cursor) -> None:
    cursors.rebuilt(connection, "one", 2, HASH, 1, LATER)


def paused(cursors: Cursors, connection: Connection, seen: Cursor) -> None:
    cursors.set_state(connection, "one", "paused")


@pytest.mark.parametrize(("meanwhile", "position"), [(moved_on, 20), (rebuilt, 2), (paused, 2)])
def test_a_slow_follower_moves_nothing(
    cursors: Cursors, engine: Engine, meanwhile: Meanwhile, position: int
) -> None:
    with engine.connect() as connection:
        seen = cursors.read(connection, ["one"])["one"]
    with engine.begin() as connection:
        meanwhile(cursors, connection, seen)
    with pytest.raises(Overtaken), engine.begin() as connection:
        cursors.move(connection, seen, 4, HASH, 2, LATER)
    assert positions(cursors, engine) == {"one": position, "two": 0}


def test_each_change_is_made_to_one_cursor(cursors: Cursors, engine: Engine) -> None:
    with engine.begin() as connection:
        before = cursors.read(connection, ["two"])
        cursors.move(connection, cursors.read(connection, ["one"])["one"], 4, HASH, 2, LATER)
        cursors.set_state(connection, "one", "failed", "no")
        cursors.accept(connection, "one", 3)
        cursors.rebuilt(connection, "one", 5, HASH, 2, LATER)
        cursors.ensure(connection, {"one": 3})
        assert cursors.read(connection, ["two"]) == before
        one = cursors.read(connection, ["one"])["one"]
    assert (one.position, one.version, one.state) == (5, 2, "running")


def test_of_two_cursors_each_gets_all_that_the_other_has(cursors: Cursors, engine: Engine) -> None:
    with engine.begin() as connection:
        cursors.rebuilt(connection, "two", 5, bytes(31) + b"2", 2, LATER, zone="Europe/Berlin")
        cursors.set_state(connection, "two", "failed", "no")
        before = cursors.read(connection, ["one", "two"])
        cursors.exchange(connection, *(cursors.lock(connection, name) for name in ("one", "two")))  # type: ignore[arg-type]
        after = cursors.read(connection, ["one", "two"])
    for mine, other in (("one", "two"), ("two", "one")):
        own = {"revision": after[mine].revision, "since": before[mine].since}
        assert after[mine] == replace(before[other], subscription=mine, **own)
        assert after[mine].revision not in (before["one"].revision, before["two"].revision)
