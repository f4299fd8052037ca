"""Corruptions of read models, as a person with a database client or a bad disk would make them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from cqrs_app.kernel.projections.bulk import key_of

Rows = Sequence[dict[str, Any]]
Corrupt = Callable[[Connection, Table, Rows, random.Random], tuple[Any, ...] | None]
"""Changes some rows and returns the key of one of them; None if the table has too few rows."""


def changed_cell(
    connection: Connection, table: Table, rows: Rows, chance: random.Random
) -> tuple[Any, ...] | None:
    row = chance.choice(rows)
    names = [each.name for each in table.c if each.name not in _fixed(table)]
    if not names:
        return None
    name = chance.choice(names)
    connection.execute(update(table).where(_at(table, row)).values({name: _other(row[name])}))
    return _key(table, row)


def deleted_row(
    connection: Connection, table: Table, rows: Rows, chance: random.Random
) -> tuple[Any, ...]:
    row = chance.choice(rows)
    connection.execute(delete(table).where(_at(table, row)))
    return _key(table, row)


def extra_row(
    connection: Connection, table: Table, rows: Rows, chance: random.Random
) -> tuple[Any, ...]:
    """A copy of another row under a new key: two that are identical in all else."""
    row = chance.choice(rows)
    copy = row | {name: _other(row[name]) for name in _fixed(table)}
    connection.execute(insert(table).values(copy))
    return _key(table, copy)


def swapped_cells(
    connection: Connection, table: Table, rows: Rows, chance: random.Random
) -> tuple[Any, ...] | None:
    pairs = [
        (one, two, each.name)
        for one, two in pairwise(rows)
        for each in table.c
        if each.name not in _fixed(table) and one[each.name] != two[each.name]
    ]
    if not pairs:
        return None
    one, two, name = chance.choice(pairs)
    for row, other in ((one, two), (two, one)):
        connection.execute(update(table).where(_at(table, row)).values({name: other[name]}))
    return _key(table, one)


def identical_rows(
    connection: Connection, table: Table, rows: Rows, chance: random.Random
) -> tuple[Any, ...] | None:
    """Two rows, and then one of them becomes the other in all but its key."""
    names = [each.name for each in table.c if each.name not in _fixed(table)]
    pairs = [
        (one, two) for one, two in pairwise(rows) if any(one[name] != two[name] for name in names)
    ]
    if not pairs:
        return None
    one, two = chance.choice(pairs)
    values = {name: two[name] for name in names}
    connection.execute(update(table).where(_at(table, one)).values(values))
    return _key(table, one)


CORRUPTIONS: tuple[Corrupt, ...] = (
    changed_cell,
    deleted_row,
    extra_row,
    swapped_cells,
    identical_rows,
)


def rows_of(connection: Connection, table: Table, limit: int | None = None) -> Rows:
    ordered = select(table).order_by(*(table.c[name] for name in key_of(table))).limit(limit)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def _fixed(table: Table) -> set[str]:
    """The columns that identify a row, by the projection or by the database."""
    return {*key_of(table), *(each.name for each in table.primary_key)}


def _key(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key_of(table))


def _at(table: Table, row: dict[str, Any]) -> Any:
    return and_(*(table.c[name] == row[name] for name in key_of(table)))


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1_000_003
        case Decimal():
            return value + Decimal("0.0001")
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value - timedelta(days=40_000)
        case str():
            return value[:-1] if len(value) > 1 else "x"
    return {None: datetime(2020, 1, 1).astimezone()}[value]
