"""Fresh write and read stores on every kind of database, migrated once and copied per test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cqrs_app.settings import Settings
from tests.services.postgres import PostgresServer


@dataclass(frozen=True, slots=True)
class Databases:
    """The addresses of one pair of stores; `kind` is "sqlite" or "postgresql"."""

    kind: str
    write_url: str
    read_url: str
    data_dir: Path

    def settings(self, **others: Any) -> Settings:
        """Settings of a console on these stores; anything else as given or by default."""
        values: dict[str, Any] = {
            "data_dir": self.data_dir,
            "database_url": self.write_url,
            "read_database_url": self.read_url,
            **others,
        }
        return Settings(**values).resolved()


def migrate(databases: Databases) -> Databases:
    """Bring both stores to the newest schema."""
    from cqrs_app.database import upgrade

    upgrade(databases.settings())
    return databases


def in_files(folder: Path) -> Databases:
    """A pair of SQLite stores in `folder`."""
    write, read = (f"sqlite:///{folder / f'{side}.sqlite3'}" for side in ("write", "read"))
    return Databases("sqlite", write, read, folder)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """The pair that each test's SQLite stores are copied from."""
    return migrate(in_files(tmp_path_factory.mktemp("migrated")))


@pytest.fixture(scope="session")
def migrated_postgresql(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """The pair that each test's PostgreSQL stores are copied from."""
    write, read = postgres_server.create(), postgres_server.create()
    pair = migrate(Databases("postgresql", write, read, tmp_path_factory.mktemp("postgresql")))
    for address in (write, read):
        postgres_server.disconnect(address)
    return pair


@pytest.fixture
def sqlite(migrated_sqlite: Databases, tmp_path: Path) -> Databases:
    """Two fresh, migrated SQLite stores."""
    for file in migrated_sqlite.data_dir.glob("*.sqlite3*"):
        shutil.copy(file, tmp_path)
    return in_files(tmp_path)


@pytest.fixture
def postgresql(
    migrated_postgresql: Databases, postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[Databases]:
    """Two fresh, migrated PostgreSQL stores."""
    with ExitStack() as stack:
        write, read = (
            stack.enter_context(postgres_server.database(template=address))
            for address in (migrated_postgresql.write_url, migrated_postgresql.read_url)
        )
        yield Databases("postgresql", write, read, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Databases:
    """Two fresh, migrated stores; the test runs once on each kind of database."""
    databases = request.getfixturevalue(request.param)
    assert isinstance(databases, Databases)
    return databases
