"""Loads or writes many rows of one table with one statement.

The statements are built once per table. SQLAlchemy would compile them again for every number of
keys, and send PostgreSQL one statement per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import Dialect

Row = dict[str, Any]
Key = tuple[Any, ...]
Stored = tuple[Any, ...]
"""The values of a row in the driver's format, in the order of the table's columns."""
Process = Callable[[Any], Any]


@cache
def key_of(table: Table) -> tuple[str, ...]:
    """The columns that identify a row: the table's `info["key"]`, else its primary key."""
    named: Iterable[str] = table.info.get("key", ())
    return tuple(named) or tuple(column.name for column in table.primary_key)


@cache
def names_of(table: Table) -> tuple[str, ...]:
    """The names of the table's columns, which are the keys of a row, in this order."""
    return tuple(str(column.name) for column in table.c)


@cache
def blank_of(table: Table) -> Row:
    """A row with None in every column, to be copied."""
    return dict.fromkeys(names_of(table))


class Bulk:
    """One table on one kind of database: see `bulk_of`."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._table = table.name
        self._names, self._key = names_of(table), key_of(table)
        self._to_store = _processes(table, lambda kind: kind.bind_processor(dialect), dialect)
        self._from_store = _processes(
            table, lambda kind: kind.result_processor(dialect, None), dialect
        )
        self._on_postgresql = dialect.name == "postgresql"
        make = _PostgresStatements if self._on_postgresql else _SqliteStatements
        statements = make(table, dialect)
        self._select, self._upsert = statements.select(), statements.upsert()
        self._delete = statements.delete()

    def read(self, found: Stored) -> tuple[Key, Row]:
        """A stored row in Python's types."""
        row = dict(zip(self._names, found, strict=True))
        for name, process in self._from_store.items():
            row[name] = process(row[name])
        return tuple([row[name] for name in self._key]), row

    def stored(self, connection: Connection, keys: Iterable[Key]) -> Sequence[Stored]:
        """The existing rows among these keys, which must be distinct, as they are stored."""
        wanted = [self._stored(dict(zip(self._key, key, strict=True))) for key in keys]
        with connection.exec_driver_sql(self._select, (_json(wanted),)) as found:
            cursor: Any = found.cursor
            return list(cursor.fetchall())

    def delete(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Delete the rows with these keys."""
        wanted = [self._stored(dict(zip(self._key, key, strict=True))) for key in keys]
        connection.exec_driver_sql(self._delete, (_json(wanted),))

    def write(self, connection: Connection, rows: Iterable[Row]) -> list[Stored]:
        """Insert rows or replace existing ones: at least one, with distinct keys. Returns them as
        they are stored."""
        stored = [self._stored(row) for row in rows]
        if any(len(row) != len(self._names) for row in stored):
            raise LookupError(f"a row of {self._table} has something that is no column")
        values = self._values(stored)
        connection.exec_driver_sql(
            self._upsert, (_json(stored),) if self._on_postgresql else values
        )
        return values

    def restore(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows that are in the driver's format already: at least one, with distinct keys."""
        values = [tuple(row) for row in rows]
        if any(len(row) != len(self._names) for row in values):
            raise ValueError(f"a row of {self._table} has not as many values as the table columns")
        named = [dict(zip(self._names, row, strict=True)) for row in values]
        connection.exec_driver_sql(self._upsert, (_json(named),) if self._on_postgresql else values)

    def as_stored(self, rows: Iterable[Row]) -> list[Stored]:
        """These rows as `write` would store them."""
        return self._values(map(self._stored, rows))

    def _values(self, stored: Iterable[Row]) -> list[Stored]:
        return [tuple([row[name] for name in self._names]) for row in stored]

    def _stored(self, row: Row) -> Row:
        """A row, or a part of one, in the driver's format."""
        row = row.copy()
        for name, process in self._to_store.items():
            if name in row:
                row[name] = process(row[name])
        return row


class _SqliteStatements:
    """The statements on SQLite, made of the names of our own columns. Keys are sent as one JSON
    text, rows as bound values."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._table = table.name
        self._key = [_quoted(name) for name in key_of(table)]
        self._names = [_quoted(name) for name in names_of(table)]

    def select(self) -> str:
        same = (f"found.{name} = json_extract(wanted.value, '$.{name}')" for name in self._key)
        # CROSS JOIN makes SQLite look up each wanted key, however many it expects.
        return (
            f"SELECT {self._found()} FROM json_each(?) AS wanted"  # noqa: S608
            f" CROSS JOIN {self._table} AS found ON {' AND '.join(same)}"
        )

    def delete(self) -> str:
        key = ", ".join(self._key)
        sent = ", ".join(f"json_extract(wanted.value, '$.{name}')" for name in self._key)
        return (
            f"DELETE FROM {self._table} WHERE ({key}) IN"  # noqa: S608
            f" (SELECT {sent} FROM json_each(?) AS wanted)"
        )

    def upsert(self) -> str:
        rest = [f"{name} = excluded.{name}" for name in self._names if name not in self._key]
        return (
            f"INSERT INTO {self._table} ({', '.join(self._names)}) {self._values()}"
            f" ON CONFLICT ({', '.join(self._key)})"
            f" DO {'UPDATE SET ' + ', '.join(rest) if rest else 'NOTHING'}"
        )

    def _found(self) -> str:
        return ", ".join(f"found.{name}" for name in self._names)

    def _values(self) -> str:
        return f"VALUES ({', '.join('?' * len(self._names))})"


class _PostgresStatements(_SqliteStatements):
    """The statements on PostgreSQL. Keys and rows are sent as one JSON text, which the driver sends
    many times faster than as many arrays."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        super().__init__(table, dialect)
        self._kinds = {_quoted(each.name): each.type.compile(dialect) for each in table.c}
        if "BYTEA" in self._kinds.values():
            raise TypeError(f"{table.name} has bytes, which no JSON text can carry")

    def select(self) -> str:
        same = (f"each.{name} = sent.{name}" for name in self._key)
        # LIMIT makes PostgreSQL look up each wanted key, however many it expects.
        return (
            f"SELECT {self._found()} FROM {self._records(self._key)} CROSS JOIN LATERAL"  # noqa: S608
            f" (SELECT * FROM {self._table} AS each WHERE {' AND '.join(same)} LIMIT 1) AS found"
        )

    def delete(self) -> str:
        key = ", ".join(self._key)
        return (
            f"DELETE FROM {self._table} WHERE ({key}) IN"  # noqa: S608
            f" (SELECT {key} FROM {self._records(self._key)})"
        )

    def _values(self) -> str:
        return f"SELECT {', '.join(self._names)} FROM {self._records(self._names)}"  # noqa: S608

    def _records(self, names: Iterable[str]) -> str:
        columns = ", ".join(f"{name} {self._kinds[name]}" for name in names)
        return f"json_to_recordset(%s::json) AS sent ({columns})"


def bulk_of(table: Table, connection: Connection) -> Bulk:
    return _bulk(table, connection.dialect.name)


@cache
def _bulk(table: Table, kind: str) -> Bulk:
    # Create a dialect: the cache would otherwise keep the connection's alive.
    if kind == "postgresql":
        return Bulk(table, psycopg.dialect())  # type: ignore[no-untyped-call]
    return Bulk(table, pysqlite.dialect())


def _processes(
    table: Table, of: Callable[[Any], Process | None], dialect: Dialect
) -> dict[str, Process]:
    """Column -> the function that converts its values, for the columns that have one."""
    made = {column.name: of(column.type.dialect_impl(dialect)) for column in table.c}
    return {name: process for name, process in made.items() if process}


def _json(rows: list[Row]) -> str:
    return msgspec.json.encode(rows).decode()


def _quoted(name: str) -> str:
    return f'"{name}"'
