"""A shop of an earlier release, opened by this one.

`store-of-write-0007.json.gz` holds the rows of a small shop at revisions write_0007 and read_0009,
as stored in its SQLite files: orders at every stage, one in the middle of its fulfilment, one
approved but not started, an erased customer, two webhooks.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import Boolean, Connection, inspect, text

from cqrs_app import create_app, database
from cqrs_app.services import services_of
from tests.console import close
from tests.services.stores import Databases, in_files

EARLIER = Path(__file__).parent / "store-of-write-0007.json.gz"
REVISIONS = {"write": "write_0007", "read": "read_0009"}


@pytest.fixture(scope="module")
def earlier() -> dict[str, Any]:
    with gzip.open(EARLIER, "rt") as file:
        kept: dict[str, Any] = json.load(file)
    return kept


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """Two stores without tables."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield in_files(tmp_path)
        else:
            server = request.getfixturevalue("postgres_server")
            write, read = (stack.enter_context(server.database()) for _ in REVISIONS)
            yield Databases("postgresql", write, read, tmp_path)


@pytest.fixture
def shop(empty: Databases, earlier: dict[str, Any], redis_url: str) -> Iterator[Flask]:
    settings = empty.settings(
        redis_url=redis_url,
        secret_key="for tests only",
        personal_data_key=earlier["personal_data_key"],
        payment_gateway="sandbox",
        webhook_allowed_networks="203.0.113.0/24",
    )
    for store, revision in REVISIONS.items():
        with database._migrating(settings, store) as config:
            command.upgrade(config, revision)
            fill(config.attributes["connection"], earlier[store])
    database.upgrade(settings)
    app = create_app(settings)
    services_of(app).kernel.runner.prepare()
    yield app
    close(app)


def fill(connection: Connection, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Insert rows as stored by SQLite."""
    on_postgresql = connection.dialect.name == "postgresql"
    for name, rows in tables.items():
        columns = {each["name"]: each["type"] for each in inspect(connection).get_columns(name)}
        marks = [
            f"CAST(:{column} AS {kind.compile(connection.dialect)})"
            if on_postgresql
            else f":{column}"
            for column, kind in columns.items()
        ]
        names = ", ".join(f'"{column}"' for column in columns)
        insert = text(f'INSERT INTO "{name}" ({names}) VALUES ({", ".join(marks)})')
        connection.execute(text(f'DELETE FROM "{name}"'))
        connection.execute(
            insert, [{key: plain(row[key], columns[key]) for key in columns} for row in rows]
        )
        for column in columns if on_postgresql else ():
            counted = f"pg_get_serial_sequence('{name}', '{column}')"
            highest = f'(SELECT max("{column}") FROM "{name}")'
            if connection.scalar(text(f"SELECT {counted}")):
                connection.execute(text(f"SELECT setval({counted}, {highest})"))


def plain(value: Any, kind: object) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["b"])
    return bool(value) if isinstance(kind, Boolean) and value is not None else value
