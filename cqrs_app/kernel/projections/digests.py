"""Running digests of read models: what their projection has written, to compare with what is there.

The digest of a table is its number of rows and the sum of the rows' own digests, modulo 2^128. A
row's digest is a keyed BLAKE2b over all its values in the driver's format, each in its place. Sums
do not depend on the order of the rows, and a change is the new row's digest minus the old one's, so
a projection keeps them in the transaction that writes the rows. With XOR instead, two identical
rows would cancel out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, delete, insert, select

from cqrs_app.kernel.projections.bulk import Stored, bulk_of
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import digests

_MODULUS = 2**128
_encode = msgspec.json.Encoder().encode

ROWS_PER_READ = 5_000


@dataclass(frozen=True, slots=True)
class Digest:
    """Of some rows of a table. `total` is the sum of their digests."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: Digest) -> Digest:
        return Digest(self.rows + other.rows, (self.total + other.total) % _MODULUS)

    def __sub__(self, other: Digest) -> Digest:
        return Digest(self.rows - other.rows, (self.total - other.total) % _MODULUS)


@dataclass(frozen=True, slots=True)
class Kept:
    """The digest that a projection keeps of a table. It is not `complete` in a store of a release
    that kept none, until the rows were counted once: then it holds only the changes since."""

    digest: Digest
    complete: bool


def digest_of(key: bytes, rows: Iterable[Stored]) -> Digest:
    """The digest of these rows."""
    start, count, total = _start(key), 0, 0
    for row in rows:
        hashing = start()
        hashing.update(_encode(row))
        total += int.from_bytes(hashing.digest())
        count += 1
    return Digest(count, total % _MODULUS)


@cache
def _start(key: bytes) -> Callable[[], Any]:
    return hashlib.blake2b(key=key, digest_size=16).copy


def kept(connection: Connection, tables: Iterable[Table]) -> dict[Table, Kept]:
    """The digests kept of these tables; a table that nothing was ever written to has none."""
    named = {str(table.name): table for table in tables}
    bulk = bulk_of(digests, connection)
    rows = map(bulk.read, bulk.stored(connection, [(name,) for name in named]))
    return {
        named[name]: Kept(Digest(row["rows"], int(row["total"], 16)), row["complete"])
        for (name,), row in rows
    }


def add_to_kept(
    connection: Connection, changes: Mapping[Table, Digest], *, complete: bool = False
) -> None:
    """Add these changes, in the transaction that writes the rows, which holds the lock on the
    projection's cursor. With `complete`, they are what a digest lacked."""
    before, rows = kept(connection, changes), []
    for table, change in changes.items():
        held = before.get(table, Kept(Digest(), complete=True))
        digest = held.digest + change
        rows.append(
            {
                "table_name": str(table.name),
                "rows": digest.rows,
                "total": f"{digest.total:032x}",
                "complete": held.complete or complete,
            }
        )
    bulk_of(digests, connection).write(connection, rows)


def forget(connection: Connection, tables: Iterable[Table]) -> None:
    """Begin again, for tables that were emptied."""
    names = tuple(table.name for table in tables)
    connection.execute(delete(digests).where(digests.c.table_name.in_(names)))


def exchange(connection: Connection, tables: Mapping[Table, Table]) -> None:
    """Give each of two tables the digest of the other, when their rows are exchanged."""
    other = {str(one.name): str(two.name) for one, two in tables.items()}
    other |= {two: one for one, two in other.items()}
    mine = digests.c.table_name.in_(tuple(other))
    rows = [dict(row._mapping) for row in connection.execute(select(digests).where(mine))]
    connection.execute(delete(digests).where(mine))
    if rows:
        exchanged = [row | {"table_name": other[row["table_name"]]} for row in rows]
        connection.execute(insert(digests), exchanged)


def gap(connection: Connection, tables: Mapping[Table, Table]) -> str:
    """By how much the digests of the tables differ from those of the others, as a text. The same
    changes to both leave it as it is."""
    held = kept(connection, [*tables, *tables.values()])
    nothing = Kept(Digest(), complete=True)
    total = sum(
        (
            held.get(two, nothing).digest - held.get(one, nothing).digest
            for one, two in tables.items()
        ),
        Digest(),
    )
    return f"{total.rows}:{total.total:032x}"


def scanned(connection: Connection, table: Table, key: bytes) -> Digest:
    """The digest of the rows that are there, read in one pass. The connection should be at one
    snapshot (`snapshot_of`), and read the kept digest in it."""
    return digest_of(key, chain.from_iterable(stored_pages(connection, table)))


def stored_pages(connection: Connection, table: Table) -> Iterator[list[Stored]]:
    """All rows of a table as they are stored, a page at a time, within a transaction."""
    names = ", ".join(f'"{column.name}"' for column in table.c)
    driver: Any = connection.connection.driver_connection
    on_postgresql = connection.dialect.name == "postgresql"
    # A named cursor stays on the server.
    with closing(driver.cursor("stored_pages") if on_postgresql else driver.cursor()) as cursor:
        cursor.execute(f"SELECT {names} FROM {table.name}")  # noqa: S608 - names of our own
        while rows := cursor.fetchmany(ROWS_PER_READ):
            yield rows


@contextmanager
def snapshot_of(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the store until the end, and locks nobody."""
    begin = "BEGIN"
    if engine.dialect.name == "postgresql":
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    with reader_of(engine).connect() as connection:
        connection.exec_driver_sql(begin)
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")
