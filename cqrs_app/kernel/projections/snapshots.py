"""Snapshots of read models: all rows of one projection in a compressed file, with the position they
include and their digests. A rebuild that starts from one replays only the events after it.

The first line is the header, and each other line one row, as JSON. Rows are in the driver's format,
so a snapshot is used on the kind of database that it was taken on. Digests are keyed: a file that
was changed, or comes from a console with other keys, is refused.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from gzip import GzipFile
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import DataError, IntegrityError

from cqrs_app.kernel.projections.bulk import bulk_of, names_of
from cqrs_app.kernel.projections.digests import (
    Digest,
    Kept,
    add_to_kept,
    kept,
    scanned,
    snapshot_of,
    stored_pages,
)
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.subscriptions.cursors import cursors_in

FORMAT = 1
ROWS_PER_WRITE = 2_000
COMPRESSION = 3
"""Of 1 to 9. More takes several times as long and saves a tenth."""


class UnusableSnapshot(Exception):
    """The text is a sentence."""


class TableSnapshot(msgspec.Struct, frozen=True):
    """`digest` is the sum of the rows' digests, in hexadecimal."""

    columns: tuple[str, ...]
    rows: int
    digest: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`hash` is that of the event at `position`, in hexadecimal; empty at the beginning."""

    format: int
    database: str
    projection: str
    version: int
    zone: str
    position: int
    hash: str
    taken_at: datetime
    tables: dict[str, TableSnapshot]


_encode = msgspec.json.Encoder().encode
_header = msgspec.json.Decoder(Header).decode


def take_snapshot(projection: Projection, engine: Engine, at: datetime, path: Path) -> Header:
    """Write the rows of one moment into a new file, while others go on writing. Raises
    UnusableSnapshot where they are not all there, and OSError."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    # For nobody but this user: read models hold personal data.
    with (
        snapshot_of(engine) as connection,
        os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw,
        gzip.open(raw, "wb", COMPRESSION) as file,
    ):
        header = _header_of(projection, connection, at)
        file.write(_encode(header) + b"\n")
        for table in projection.tables:
            for page in stored_pages(connection, table):
                file.write(b"".join(_encode(row) + b"\n" for row in page))
    unfinished.replace(path)
    return header


def _header_of(projection: Projection, connection: Connection, at: datetime) -> Header:
    name = projection.name
    cursor = cursors_in(projection.store).read(connection, [name]).get(name)
    if cursor is None or cursor.version != projection.version or cursor.state == "failed":
        raise UnusableSnapshot(f"The rows of {name} are not those of this release. Rebuild it.")
    if cursor.parked:
        raise UnusableSnapshot(f"{name} has parked events. Retry or skip them first.")
    held = kept(connection, projection.tables)
    tables = {}
    for table in projection.tables:
        found = held.get(table, Kept(Digest(), complete=True))
        if not found.complete:
            raise UnusableSnapshot(f"{name} has no digest yet. Run: flask reconcile {name}")
        tables[table.name] = TableSnapshot(
            names_of(table), found.digest.rows, f"{found.digest.total:032x}"
        )
    return Header(
        format=FORMAT,
        database=connection.dialect.name,
        projection=name,
        version=cursor.version,
        zone=cursor.zone,
        position=cursor.position,
        hash=(cursor.hash or b"").hex(),
        taken_at=at,
        tables=tables,
    )


class Snapshot:
    """A file that `take_snapshot` wrote. Raises UnusableSnapshot if it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            self.header = self._first(file)

    def load(self, connection: Connection, projection: Projection) -> None:
        """Insert the rows into the emptied tables, in the caller's transaction. Raises
        UnusableSnapshot if they are not exactly the rows whose digests the header has."""
        try:
            with self._opened() as file:
                self._first(file)
                for table in projection.tables:
                    self._fill(connection, table, file)
        except (DataError, IntegrityError) as error:
            raise self._unusable("its rows do not fit the tables") from error
        for table in projection.tables:
            noted = self.header.tables[table.name]
            found = scanned(connection, table, projection.digest_key)
            if (found.rows, f"{found.total:032x}") != (noted.rows, noted.digest):
                raise self._unusable(f"its rows of {table.name} are not those of its digest")
            if found.rows:
                add_to_kept(connection, {table: found})

    def check(self, projection: Projection, database: str, zone: str) -> None:
        """Raise UnusableSnapshot unless these are the rows that this release makes."""
        header = self.header
        if header.database != database:
            raise self._unusable(f"it was taken on {header.database}, and this is {database}")
        columns = {table.name: names_of(table) for table in projection.tables}
        same = {name: each.columns for name, each in header.tables.items()} == columns
        if header.version != projection.version or not same:
            raise self._unusable("another release made its rows. Rebuild from the log")
        if projection.by_day and header.zone != zone:
            raise self._unusable(f"its days are those of {header.zone}, not of {zone}")

    def _fill(self, connection: Connection, table: Table, file: GzipFile) -> None:
        left, bulk = self.header.tables[table.name].rows, bulk_of(table, connection)
        while left:
            lines = list(islice(file, min(left, ROWS_PER_WRITE)))
            if not lines:
                raise self._unusable("it ends early")
            bulk.restore(connection, [msgspec.json.decode(line) for line in lines])
            left -= len(lines)

    def _first(self, file: GzipFile) -> Header:
        header = _header(file.readline())
        if header.format != FORMAT:
            raise self._unusable(f"this release reads format {FORMAT}, it has {header.format}")
        return header

    @contextmanager
    def _opened(self) -> Iterator[GzipFile]:
        try:
            with gzip.open(self._path) as file:
                yield file
        except (EOFError, zlib.error, gzip.BadGzipFile, msgspec.MsgspecError, ValueError) as error:
            raise self._unusable("it is damaged, or no snapshot") from error

    def _unusable(self, why: str) -> UnusableSnapshot:
        return UnusableSnapshot(f"{self._path} cannot be used: {why}. Nothing was changed.")
