"""The store operations of the raw projections, on psycopg and on the standard library's sqlite3."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql

from bench.raw.projections import BATCH, Row, Store
from cqrs_app.areas.desk import read_models
from cqrs_app.kernel.projections.bulk import key_of, names_of

_TABLES = {
    table.name: table
    for table in (
        read_models.orders,
        read_models.order_lines,
        read_models.order_texts,
        read_models.order_days,
        read_models.order_activity,
        read_models.order_timeline,
    )
}
_EVENT = "position, stream, version, type, payload, operator, command_id, occurred_at, recorded_at"
_FOLLOW = f"SELECT {_EVENT} FROM events WHERE position > ? ORDER BY position LIMIT {BATCH}"  # noqa: S608
_MOVE = (
    "UPDATE checkpoints SET position = ?, applied = applied + ?, advanced_at = CURRENT_TIMESTAMP"
    " WHERE subscription = ?"
)


@contextmanager
def raw_store(write: Engine, read: Engine) -> Iterator[Store]:
    """The product's stores, through a separate connection."""
    if read.dialect.name == "postgresql":
        plain = read.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, row_factory=dict_row) as connection:
            yield _Postgres(connection)
        return
    log, rows = (
        sqlite3.connect(str(each.url.database), isolation_level=None) for each in (write, read)
    )
    rows.execute("PRAGMA synchronous = NORMAL")
    log.row_factory = rows.row_factory = sqlite3.Row
    try:
        yield _Sqlite(log, rows)
    finally:
        log.close()
        rows.close()


class _Postgres:
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        self._writes = {}
        for name, table in _TABLES.items():
            kinds = (column.type.compile(dialect).split("(")[0] for column in table.c)
            arrays = ", ".join(f"%b::{kind}[]" for kind in kinds)
            self._writes[name] = _upsert(name, f"SELECT * FROM unnest({arrays})")  # noqa: S608

    def begin(self, projection: str) -> int:
        found = self._run(
            "SELECT position FROM checkpoints WHERE subscription = %s FOR UPDATE", projection
        )
        return int(found.fetchall()[0]["position"])

    def follow(self, after: int) -> list[Row]:
        return self._run(_FOLLOW.replace("?", "%s"), after).fetchall()

    def find(self, table: str, orders: Sequence[str]) -> Iterable[Row]:
        return self._run(f"SELECT * FROM {table} WHERE order_id = ANY(%s)", orders)  # noqa: S608

    def days(self, table: str, days: Sequence[Any]) -> Iterable[Row]:
        return self._run(f"SELECT * FROM {table} WHERE day = ANY(%s)", days)  # noqa: S608

    def write(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            names = names_of(_TABLES[table])
            self._run(self._writes[table], *([row[name] for row in rows] for name in names))

    def end(self, projection: str, position: int, events: int) -> None:
        self._run(_MOVE.replace("?", "%s"), position, events, projection)
        self._connection.commit()

    def _run(self, statement: str, *values: Any) -> psycopg.Cursor[Row]:
        return self._connection.execute(statement, values)


class _Sqlite:
    def __init__(self, log: sqlite3.Connection, rows: sqlite3.Connection) -> None:
        self._log, self._rows = log, rows
        self._writes = {
            name: _upsert(name, f"VALUES ({', '.join('?' * len(table.c))})")
            for name, table in _TABLES.items()
        }

    def begin(self, projection: str) -> int:
        self._rows.execute("BEGIN IMMEDIATE")
        found = "SELECT position FROM checkpoints WHERE subscription = ?"
        return int(self._rows.execute(found, (projection,)).fetchone()[0])

    def follow(self, after: int) -> list[Row]:
        return [dict(row) for row in self._log.execute(_FOLLOW, (after,))]

    def find(self, table: str, orders: Sequence[str]) -> Iterable[Row]:
        return self._among(table, "order_id", orders)

    def days(self, table: str, days: Sequence[Any]) -> Iterable[Row]:
        return self._among(table, "day", days)

    def write(self, table: str, rows: Sequence[Row]) -> None:
        names = names_of(_TABLES[table])
        values = [[row[name] for name in names] for row in rows]
        self._rows.executemany(self._writes[table], values)

    def end(self, projection: str, position: int, events: int) -> None:
        self._rows.execute(_MOVE, (position, events, projection))
        self._rows.execute("COMMIT")

    def _among(self, table: str, column: str, values: Sequence[Any]) -> Iterable[Row]:
        wanted = f"SELECT * FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
        return [dict(row) for row in self._rows.execute(wanted, (json.dumps(values),))]


def _upsert(name: str, values: str) -> str:
    names, key = names_of(_TABLES[name]), key_of(_TABLES[name])
    then = ", ".join(f"{each} = excluded.{each}" for each in names if each not in key)
    return (
        f"INSERT INTO {name} ({', '.join(names)}) {values}"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {then}"
    )
