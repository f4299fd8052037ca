"""Leases expire by the database's clock, to the second, whatever the processes' clocks show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    create_engine,
    insert,
    select,
    update,
)

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.engines import configure
from cqrs_app.kernel.subscriptions.leases import Lease
from tests.services.stores import Databases

LEASE = Lease(timedelta(seconds=60))
rows = Table(
    "leased", MetaData(), Column("number", Integer, primary_key=True), Column("until", UtcDateTime)
)


@pytest.fixture
def connection(backend: Databases) -> Iterator[Connection]:
    engine = create_engine(backend.write_url)
    configure(engine, durable=False, read_only=False, timeout=5)
    with engine.begin() as connection:
        rows.create(connection)
        connection.execute(insert(rows), [{"number": number} for number in (1, 2)])
        yield connection
    engine.dispose()


def free(connection: Connection) -> list[int]:
    found = select(rows.c.number).where(LEASE.is_free(rows.c.until)).order_by(rows.c.number)
    return list(connection.execute(found).scalars())


def lease_ends(connection: Connection, until: datetime) -> None:
    """Of the first row."""
    connection.execute(update(rows).where(rows.c.number == 1).values(until=until))


def test_a_row_is_taken_for_as_long_as_the_lease_and_its_neighbour_is_not(
    connection: Connection,
) -> None:
    assert free(connection) == [1, 2]
    taken = update(rows).where(rows.c.number == 1).values(until=LEASE.end()).returning(rows.c.until)
    until = connection.execute(taken).scalar_one()
    assert abs(until - datetime.now(UTC) - LEASE.length) < timedelta(seconds=5)
    assert free(connection) == [2]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-2, [1, 2]), (2, [2]), (58, [2]), (118, [2]), (122, [1, 2]), (7200, [1, 2])],
)
def test_a_lease_counts_until_its_end_and_not_where_it_ends_too_late(
    connection: Connection, seconds: int, expected: list[int]
) -> None:
    lease_ends(connection, datetime.now(UTC) + timedelta(seconds=seconds))
    assert free(connection) == expected


def test_whoever_waited_for_the_row_does_not_take_it_a_second_time(
    postgres_url: str,
) -> None:
    """The statement of the one who waits began before that of the one who takes it."""
    engine = create_engine(postgres_url)
    configure(engine, durable=False, read_only=False, timeout=5)
    take = (
        update(rows)
        .where(rows.c.number == 1, LEASE.is_free(rows.c.until))
        .values(until=LEASE.end())
    )
    taken: list[int] = []

    def wait_and_take() -> None:
        with engine.begin() as connection:
            taken.append(connection.execute(take).rowcount)

    with engine.begin() as connection:
        rows.create(connection)
        connection.execute(insert(rows), [{"number": 1}])
    with engine.begin() as connection:
        connection.execute(select(rows).with_for_update())
        waiting = threading.Thread(target=wait_and_take)
        waiting.start()
        time.sleep(0.3)
        assert connection.execute(take).rowcount == 1
    waiting.join()
    engine.dispose()
    assert taken == [0]
