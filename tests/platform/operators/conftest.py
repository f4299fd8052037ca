"""Accounts, sessions and throttle on a new write store, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.engines import configure
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import Throttle
from cqrs_app.platform.operators.tokens import Tokens
from tests.services.operators import accounts_on
from tests.services.stores import Databases

PASSWORD = "seven brown herons"


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def engine(backend: Databases) -> Iterator[Engine]:
    engine = create_engine(backend.write_url)
    configure(engine, durable=False, read_only=False, timeout=10)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(engine: Engine, clock: Clock) -> Accounts:
    return accounts_on(engine, clock)


@pytest.fixture
def sessions(engine: Engine, clock: Clock) -> Sessions:
    return Sessions(engine, ROLES, idle_seconds=1800, hours=12, clock=clock)


@pytest.fixture
def factors(engine: Engine, clock: Clock) -> SecondFactors:
    return SecondFactors(
        engine, Vault(engine, lambda: ["for tests only"], "test"), "Test shop", clock
    )


@pytest.fixture
def throttle(engine: Engine, clock: Clock) -> Throttle:
    return Throttle(engine, attempts=5, pause_seconds=30, clock=clock)


@pytest.fixture
def tokens(engine: Engine, clock: Clock) -> Tokens:
    return Tokens(engine, ROLES, clock)
