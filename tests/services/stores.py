"""Pairs of write and read stores on each kind of database, filled once and copied per test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cqrs_app.settings import Settings
from tests.processes.running import NOT_NOW
from tests.services.postgres import PostgresServer


@dataclass(frozen=True, slots=True)
class Databases:
    """The URLs of one pair of stores; `kind` is "sqlite" or "postgresql"."""

    kind: str
    write_url: str
    read_url: str
    data_dir: Path

    def settings(self, **others: Any) -> Settings:
        """Settings of a console on these stores. Others are as given or by default."""
        values: dict[str, Any] = {
            "data_dir": self.data_dir,
            "database_url": self.write_url,
            "read_database_url": self.read_url,
            "reconcile_window": NOT_NOW,
            **others,
        }
        return Settings(**values).resolved()


Fill = Callable[[Databases], None]
"""Fills a pair of stores and leaves no connection open."""


@dataclass(slots=True)
class Templates:
    """Pairs of stores, one per kind of database and Fill, created on first use.

    Templates are never written to: each test works on a copy.
    """

    new_folder: Callable[[], Path]
    postgres: Callable[[], PostgresServer]
    _filled: dict[tuple[str, Fill], Databases] = field(default_factory=dict)

    @contextmanager
    def copy(self, kind: str, fill: Fill, folder: Path) -> Iterator[Databases]:
        """A copy of the pair that `fill` made, removed at the end; files are in `folder`."""
        template = self._filled.get((kind, fill)) or self._fill(kind, fill)
        shutil.copytree(template.data_dir, folder, dirs_exist_ok=True)
        if kind == "sqlite":
            yield in_files(folder)
            return
        with ExitStack() as stack:
            write, read = (
                stack.enter_context(self.postgres().database(template=address))
                for address in (template.write_url, template.read_url)
            )
            yield replace(template, write_url=write, read_url=read, data_dir=folder)

    def _fill(self, kind: str, fill: Fill) -> Databases:
        folder = self.new_folder()
        if kind == "sqlite":
            pair = in_files(folder)
            fill(pair)
        else:
            server = self.postgres()
            pair = Databases(kind, server.create(), server.create(), folder)
            fill(pair)
            # PostgreSQL cannot copy a database with open connections.
            for address in (pair.write_url, pair.read_url):
                server.disconnect(address)
        self._filled[kind, fill] = pair
        return pair


def in_files(folder: Path) -> Databases:
    """A pair of SQLite stores in `folder`."""
    write, read = (f"sqlite:///{folder / f'{side}.sqlite3'}" for side in ("write", "read"))
    return Databases("sqlite", write, read, folder)


def migrate(databases: Databases) -> None:
    """Migrate both stores to the newest schema."""
    from cqrs_app.database import upgrade

    upgrade(databases.settings())


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """The stores that tests get copies of. PostgreSQL is started for the first one on it."""
    return Templates(
        new_folder=lambda: tmp_path_factory.mktemp("template"),
        postgres=lambda: request.getfixturevalue("postgres_server"),
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database. Tests that use it, directly or through another fixture, run on each."""
    return str(request.param)


on_one_database = pytest.mark.parametrize("kind", ["sqlite"])
"""For a test of how a page looks, which does not depend on its database."""


@pytest.fixture
def backend(kind: str, templates: Templates, tmp_path: Path) -> Iterator[Databases]:
    """Two new, migrated stores."""
    with templates.copy(kind, migrate, tmp_path) as databases:
        yield databases
