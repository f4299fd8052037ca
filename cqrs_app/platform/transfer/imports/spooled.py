"""The rows of a file of any size, kept on disk while they are sorted by document."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Generic, TypeVar

import msgspec

from cqrs_app.platform.transfer.imports.source import SourceRow

T = TypeVar("T")

BUFFERED = 1_000
"""Rows that are written at once."""
_CACHE_KIB = 4_096
cells_of = msgspec.json.Decoder(tuple[str, ...]).decode
"""The inverse of encoding a row's values as JSON."""


def temporary(owner: object, schema: str) -> sqlite3.Connection:
    """A temporary SQLite database: private, on disk beyond its small cache, and gone with its
    owner."""
    # Whichever thread collects the owner as garbage closes it.
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    weakref.finalize(owner, database.close)
    database.executescript(
        f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIB};{schema}"
    )
    return database


class SpooledRows:
    """The rows of a file, by document. Rows of one document need not be adjacent."""

    def __init__(self) -> None:
        self._database = temporary(
            self,
            "CREATE TABLE rows (place INTEGER PRIMARY KEY, file, line, cells, problem, hint);"
            "CREATE TABLE runs (first INTEGER PRIMARY KEY, number);",
        )
        self._rows: list[tuple[Any, ...]] = []
        self._runs: list[tuple[int, str]] = []
        self._count = 0
        self._last: str | None = None

    def add(self, number: str, row: SourceRow, hint: str = "") -> None:
        """Add a row of the document with this number. `hint` comes back with it."""
        self._count += 1
        if number != self._last or not number:
            self._runs.append((self._count, number))
            self._last = number
        cells = msgspec.json.encode(row.values)
        self._rows.append((self._count, row.file, row.line, cells, row.problem, hint))
        if len(self._rows) >= BUFFERED:
            self._flush()

    def cut(self, number: str) -> None:
        """The rows end here, within this document, which is left out if it is not the only one."""
        self._flush()
        if self._database.execute("SELECT 1 FROM runs WHERE number != ?", (number,)).fetchone():
            self._database.execute("UPDATE runs SET number = NULL WHERE number = ?", (number,))

    def __len__(self) -> int:
        """How many documents there are."""
        self._flush()
        [(named, others)] = self._database.execute(
            "SELECT count(DISTINCT nullif(number, '')), count(nullif(number != '', 1)) FROM runs"
        )
        return int(named + others)

    def documents(self) -> Iterator[tuple[str, int, Iterator[tuple[SourceRow, str]]]]:
        """The number, how many rows, and the rows of each, in the order of their first rows. A row
        without a number stands for itself."""
        self._flush()
        runs = self._database.execute(
            "SELECT number, beginning, first, last FROM"
            " (SELECT number, first, lead(first, 1, ?) OVER (ORDER BY first) AS last,"
            " min(first) OVER (PARTITION BY number, iif(number = '', first, 0)) AS beginning"
            " FROM runs) WHERE number IS NOT NULL ORDER BY beginning, first",
            (self._count + 1,),
        )
        for (number, _), found in groupby(runs, key=itemgetter(0, 1)):
            spans = [(first, last) for *_, first, last in found]
            size = sum(last - first for first, last in spans)
            yield number, size, chain.from_iterable(self._between(*span) for span in spans)

    def _between(self, first: int, last: int) -> Iterator[tuple[SourceRow, str]]:
        found = self._database.execute(
            "SELECT file, line, cells, problem, hint FROM rows WHERE place >= ? AND place < ?",
            (first, last),
        )
        for file, line, cells, problem, hint in found:
            yield SourceRow(file, line, cells_of(cells), problem), hint

    def _flush(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", self._rows)
        self._database.executemany("INSERT INTO runs VALUES (?, ?)", self._runs)
        self._database.execute("COMMIT")
        self._rows.clear()
        self._runs.clear()


class SpooledTexts:
    """Texts by key."""

    def __init__(self) -> None:
        self._database = temporary(
            self, "CREATE TABLE texts (key PRIMARY KEY, text) WITHOUT ROWID;"
        )

    def add(self, key: str, text: str = "") -> bool:
        """Keep the text, unless there is one of this key; returns whether it was kept."""
        put = self._database.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (key, text))
        return put.rowcount > 0

    def get(self, key: str) -> str | None:
        found = self._database.execute("SELECT text FROM texts WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None


class SpooledList(Generic[T]):
    """Dataclasses of one kind, in order."""

    def __init__(self, kind: type[T]) -> None:
        self._database = temporary(self, "CREATE TABLE items (item);")
        self._decode = msgspec.json.Decoder(kind).decode

    def append(self, item: T) -> None:
        self._database.execute("INSERT INTO items VALUES (?)", (msgspec.json.encode(item),))

    def chunks(self, size: int) -> Iterator[list[T]]:
        """All of them, this many at a time."""
        found = self._database.execute("SELECT item FROM items ORDER BY rowid")
        while rows := found.fetchmany(size):
            yield [self._decode(item) for (item,) in rows]
