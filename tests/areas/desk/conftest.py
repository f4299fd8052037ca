"""A read store of orders on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, Engine, create_engine

from tests.areas.desk.history import make_tables, read_store
from tests.services.postgres import PostgresServer


@pytest.fixture(scope="session")
def orders_on_postgresql(postgres_server: PostgresServer) -> Iterator[Engine]:
    """One database for all tests of orders. Each test runs in a transaction that is rolled back."""
    with postgres_server.database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            make_tables(connection)
        yield engine
        engine.dispose()


@pytest.fixture
def connection(kind: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty read store."""
    engine = read_store() if kind == "sqlite" else request.getfixturevalue("orders_on_postgresql")
    with closing(engine.connect()) as connection:
        connection.begin()
        yield connection
        connection.rollback()
    if kind == "sqlite":
        engine.dispose()
