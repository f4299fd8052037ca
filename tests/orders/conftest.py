"""A read store of orders on every kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from tests.orders.history import make_tables, read_store


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty read store."""
    if request.param == "sqlite":
        engine = read_store()
    else:
        engine = create_engine(request.getfixturevalue("postgres_url"))
    with engine.begin() as connection:
        if request.param == "postgresql":
            make_tables(connection)
        yield connection
    engine.dispose()
