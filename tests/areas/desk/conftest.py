"""A read store of orders on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import Connection, Engine, create_engine

from cqrs_app.kernel.events.recorded import Recorded
from tests.areas.desk.history import make_tables, project


@contextmanager
def read_store_on(kind: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A new read store without rows."""
    place = (
        nullcontext("sqlite://")
        if kind == "sqlite"
        else request.getfixturevalue("postgres_server").database()
    )
    with place as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            make_tables(connection)
        yield engine
        engine.dispose()


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes are rolled back at the end."""
    with engine.connect() as connection:
        connection.begin()
        yield connection
        connection.rollback()


@pytest.fixture(scope="session")
def orders_on_sqlite(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with read_store_on("sqlite", request) as engine:
        yield engine


@pytest.fixture(scope="session")
def orders_on_postgresql(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with read_store_on("postgresql", request) as engine:
        yield engine


@pytest.fixture
def connection(kind: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty read store."""
    with undone(request.getfixturevalue(f"orders_on_{kind}")) as connection:
        yield connection


@pytest.fixture(scope="module")
def filled_store(
    shared_kind: str, request: pytest.FixtureRequest, log: Sequence[Recorded]
) -> Iterator[Engine]:
    """A read store with the rows of the module's `log`."""
    with read_store_on(shared_kind, request) as engine:
        with engine.begin() as connection:
            project(connection, log)
        yield engine


@pytest.fixture
def shop(filled_store: Engine) -> Iterator[Connection]:
    """A connection to the filled read store."""
    with undone(filled_store) as connection:
        yield connection
