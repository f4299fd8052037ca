"""Parked events: an operation on one stream of one subscription affects no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, select

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.kernel.subscriptions.parking import Described, Parking, parking_in
from cqrs_app.kernel.subscriptions.subscription import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PARKED = [("one", "a", 1), ("one", "a", 2), ("one", "b", 3), ("two", "a", 1), ("two", "c", 2)]
"""Subscription, stream and position; of each stream the first event is the culprit."""


def event(stream: str, position: int) -> StoredEvent:
    texts = dict.fromkeys(("payload", "operator", "command_id", "correlation_id"), "")
    return StoredEvent(
        stream=stream,
        version=position,
        type="Added",
        schema=1,
        causation_id=None,
        occurred_at=NOW,
        recorded_at=NOW,
        position=position,
        **texts,
    )


@pytest.fixture
def parking(store: Store, store_engine: Engine) -> Parking:
    made, culprits = parking_in(store), set[tuple[str, str]]()
    with store_engine.begin() as connection:
        for name, stream, position in PARKED:
            is_culprit = (name, stream) not in culprits
            culprits.add((name, stream))
            error = {"error": "no", "traceback": "no"} if is_culprit else None
            made.park(connection, name, event(stream, position), NOW, error)
    return made


def rows(store: Store, engine: Engine) -> list[tuple[str, str, int]]:
    columns = (tables.parked_events if store == "read" else tables.subscription_parked).c
    found = select(columns.subscription, columns.stream, columns.position, columns.attempts)
    with engine.connect() as connection:
        ordered = connection.execute(found.order_by(columns.subscription, columns.position)).all()
    return [tuple(row) for row in ordered]  # type: ignore[misc]


def test_who_waits_is_asked_of_a_stream_and_a_subscription(
    parking: Parking, store_engine: Engine
) -> None:
    with store_engine.connect() as connection:
        assert parking.streams(connection, "one", {"a", "c", "d"}) == {"a"}
        assert parking.streams(connection, "three", {"a"}) == set()
        held = [
            parking.holds(connection, names, "c") for names in (["one"], ["two"], ["one", "two"])
        ]
        assert held == [False, True, True]
        assert not parking.holds(connection, ["one", "two"], "d")
        assert parking.positions_of(connection, "one", "a") == [1, 2]
        assert parking.positions_of(connection, "two", "a") == [1]


def test_each_subscription_counts_its_own(
    parking: Parking, store: Store, store_engine: Engine
) -> None:
    cursors = cursors_in(store)
    with store_engine.begin() as connection:
        cursors.ensure(connection, {"one": 1, "two": 1, "three": 1})
        expected = {"one": 3, "two": 2, "three": 0}
        assert {each.subscription: each.parked for each in cursors.all(connection)} == expected
    reached = cursors.reached(store_engine, list(expected))
    assert {each.projection: each.parked for each in reached} == expected


def test_a_release_ends_at_the_first_that_fails_again(
    parking: Parking, store: Store, store_engine: Engine
) -> None:
    def take(connection: Connection, stored: StoredEvent) -> None:
        if stored.position == 2:
            raise LookupError("again")

    def describe(stored: StoredEvent, error: Exception) -> Described:
        return {"error": str(error), "traceback": ""}

    events = [event("a", position) for position in (1, 2)]
    with store_engine.begin() as connection:
        assert parking.release(connection, "one", events, take, describe) == 1
    assert rows(store, store_engine) == [
        ("one", "a", 2, 1),
        ("one", "b", 3, 1),
        ("two", "a", 1, 1),
        ("two", "c", 2, 1),
    ]


def test_what_is_forgotten_is_of_one_subscription(
    parking: Parking, store: Store, store_engine: Engine
) -> None:
    with store_engine.begin() as connection:
        parking.forget(connection, "one", [1])
    assert [row[:3] for row in rows(store, store_engine)] == PARKED[1:]
    with store_engine.begin() as connection:
        parking.forget(connection, "one")
    assert [row[:3] for row in rows(store, store_engine)] == PARKED[3:]
