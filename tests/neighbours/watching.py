"""What is stored, row by row, and whom a change of it is about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import MetaData, Table

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store import tables

EVERYONES = "everyones"
"""In the ids of what two neighbours share, such as a product that both order."""
_FOLLOWS = ("position", "hash", "version", "applied", "advanced_at", "revision")
UNWATCHED = {"checkpoints": _FOLLOWS, "subscription_cursors": _FOLLOWS}
"""Columns that follow the log, whoever is concerned."""
SHARED = {
    "bus_statistics": "counts by command and minute",
    "customer_counts": "counts by status",
    "digests": "one row per table of a projection",
    "measurements": "what took how long",
    "order_activity": "totals by day",
    "order_days": "totals by day",
    "product_days": "totals by day and product",
    "sales_days": "totals by day",
    "traces": "what took how long",
}
"""Tables whose rows may change although they name nobody, and why."""
TELLING = {
    "notifications": "who may sign hears of everybody's requests",
    "webhook_deliveries": "a webhook gets everybody's events",
}
"""Tables that tell one neighbour about the other, and why."""
NEUTRAL = ("retention-",)
"""Streams about nobody."""
COMMON = (
    "(operators,",
    "(operator_roles-all",
    "(approval_policies-all",
    "(views-ana",
    "(macros-ana",
    "(import_mappings-all",
    "(projection-orders",
)
"""How the keys of rows begin that stand for everybody: streams, and a version of all accounts."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that came or went. `key` and `text` are the values of its primary key and all of its
    values, in small letters."""

    table: str
    key: str
    text: str

    def is_about(self, mine: set[str], others: set[str]) -> bool:
        """Whether this may happen when something happens to whom `mine` names. `others` name the
        neighbour."""
        if self.table in SHARED or self.key.startswith(COMMON):
            return True
        if any(stream in self.text for stream in NEUTRAL) and not _names(others, self.text):
            return True
        if EVERYONES in self.key and not _names(others, self.key):
            return True
        if _names(others, self.text) and self.table not in TELLING:
            return False
        return _names(mine, self.text)


def _names(words: set[str], text: str) -> bool:
    return any(word in text for word in words)


Stored = dict[str, Counter[tuple[Any, ...]]]
"""Table -> its rows, as its database gives them fastest: this is asked hundreds of times."""


def stored(kernel: Kernel) -> Stored:
    """Every row of every table of both stores, without the columns that are not watched."""
    found: Stored = {}
    for engine, metadata in (
        (kernel.engines.write, tables.write_tables),
        (kernel.engines.read, tables.read_tables),
    ):
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            read = _from_sqlite if engine.dialect.name == "sqlite" else _from_postgresql
            found |= read(cursor, metadata)
    return found


def _from_sqlite(cursor: Any, metadata: MetaData) -> Stored:
    """Rows have all values, those of the primary key first."""
    found: Stored = {}
    for name, columns in _columns(metadata).items():
        found[name] = Counter(cursor.execute(f'SELECT {columns} FROM "{name}"'))
    return found


def _from_postgresql(cursor: Any, metadata: MetaData) -> Stored:
    """Rows have two texts: the primary key, and all values. One statement reads all tables."""
    found: Stored = {name: Counter() for name in _columns(metadata)}
    cursor.execute(_all_in_one(metadata))
    for name, *texts in cursor.fetchall():
        found[name][tuple(texts)] += 1
    return found


def disturbed(before: Stored, after: Stored, mine: set[str], others: set[str]) -> Iterator[str]:
    """What changed and is not about whom `mine` names: rows that came or went (one that differs did
    both), and parts about the neighbour of a state that both share."""
    for name, rows in after.items():
        if rows == before[name]:
            continue
        came, went = rows - before[name], before[name] - rows
        for values in came + went:
            row = Row(name, *_texts(name, values))
            if not row.is_about(mine, others):
                yield f"{name}: {row.text}"
        had, has = (Counter(_parts_about(others, each)) for each in (went, came))
        if had != has:
            yield f"{name}: {had - has} became {has - had}"


def _parts_about(others: set[str], rows: Counter[tuple[Any, ...]]) -> Iterator[str]:
    """The parts of states, in JSON, that name the neighbour."""
    for values in rows:
        for each in values:
            if isinstance(each, str) and each[:1] == "{" and _names(others, each):
                yield from _parts(others, json.loads(each))


def _parts(others: set[str], value: Any) -> Iterator[str]:
    """Entries whose key, and records and texts that name the neighbour."""
    if isinstance(value, dict):
        if any(isinstance(each, str) and _names(others, each) for each in value.values()):
            yield repr(value)
            return
        for key, each in value.items():
            if _names(others, key):
                yield repr((key, each))
            else:
                yield from _parts(others, each)
    elif isinstance(value, list):
        for each in value:
            yield from _parts(others, each)
    elif isinstance(value, str) and _names(others, value):
        yield value


def _texts(table: str, values: tuple[Any, ...]) -> tuple[str, str]:
    if len(values) == 2 and all(isinstance(each, str) and each[0] == "(" for each in values):
        key, text = values
    else:
        key, text = repr(values[: _widths()[table]]), repr(values)
    return key.casefold().replace("'", ""), text.casefold()


@cache
def _columns(metadata: MetaData) -> dict[str, str]:
    return {table.name: ", ".join(_names_in(table)) for table in metadata.sorted_tables}


def _names_in(table: Table) -> Iterator[str]:
    unwatched = UNWATCHED.get(table.name, ())
    for first in (True, False):
        for each in table.c:
            if each.primary_key is first and each.name not in unwatched:
                yield f'"{each.name}"'


@cache
def _all_in_one(metadata: MetaData) -> str:
    def one(table: Table) -> str:
        key = ", ".join(f'"{each.name}"' for each in table.primary_key)
        texts = f"ROW({key})::text, ROW({', '.join(_names_in(table))})::text"
        return f"SELECT '{table.name}', {texts} FROM \"{table.name}\""

    return " UNION ALL ".join(map(one, metadata.sorted_tables))


@cache
def _widths() -> dict[str, int]:
    return {
        table.name: len(table.primary_key)
        for metadata in (tables.write_tables, tables.read_tables)
        for table in metadata.sorted_tables
    }
