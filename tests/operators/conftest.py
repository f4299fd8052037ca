"""Accounts, sessions and throttle on a fresh write store, with a clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

import cqrs_app.platform.operators.tables  # noqa: F401 - defines its tables on import
from cqrs_app.kernel.store.engines import configure
from cqrs_app.kernel.store.tables import write
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import Throttle
from tests.services.postgres import PostgresServer

PASSWORD = "seven brown herons"


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'write.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as made:
        yield made


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    engine = create_engine(address)
    configure(engine, durable=False, read_only=False, timeout=10)
    write.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(engine: Engine, clock: Clock) -> Accounts:
    return Accounts(engine, clock)


@pytest.fixture
def sessions(engine: Engine, clock: Clock) -> Sessions:
    return Sessions(engine, idle_seconds=1800, hours=12, clock=clock)


@pytest.fixture
def throttle(engine: Engine, clock: Clock) -> Throttle:
    return Throttle(engine, attempts=5, pause_seconds=30, clock=clock)
