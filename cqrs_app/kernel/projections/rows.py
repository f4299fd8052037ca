"""The rows that a batch of events touches: loaded once, changed in memory, written in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from cqrs_app.kernel.projections.bulk import Bulk, Key, Row, Stored, blank_of, bulk_of, key_of
from cqrs_app.kernel.projections.digests import Digest, add_to_kept, digest_of
from cqrs_app.kernel.subscriptions.rehearsal import FieldChange, RowChange

__all__ = ["Key", "ObservedRows", "Row", "Rows"]


class Rows:
    """A unit of work for projections. Without a connection it starts empty and stays in memory: a
    fold of events into the rows that the projection would store. `key` is that of the digests of
    the tables, which change with the rows. `tables` maps a table to the one that holds its rows,
    where that is another: see generation.py."""

    def __init__(
        self,
        connection: Connection | None = None,
        key: bytes = b"",
        tables: Mapping[Table, Table] | None = None,
    ) -> None:
        self.connection = connection
        self._key = key
        self._tables = tables or {}
        self._loaded: dict[Table, dict[Key, Row | None]] = defaultdict(dict)
        self._stored: dict[Table, dict[Key, Stored | None]] = defaultdict(dict)
        self._changed: dict[Table, dict[Key, None]] = defaultdict(dict)

    def preload(self, touched: Iterable[tuple[Table, Key]]) -> None:
        """Load these rows, with one query per table, so that `get` finds them in memory."""
        wanted: dict[Table, set[Key]] = defaultdict(set)
        for table, key in touched:
            if key not in self._loaded[table]:
                wanted[table].add(key)
        for table, keys in wanted.items():
            self._load(table, list(keys))

    def get(self, table: Table, *key: Any) -> Row | None:
        """The current row, or None. Do not change it: see `change`."""
        if key not in self._loaded[table]:
            self._load(table, [key])
        return self._loaded[table][key]

    def where(self, table: Table, **values: Any) -> list[Row]:
        """The rows with these values, which may be changed in place."""
        if self.connection is None:
            held = self._loaded[table].items()
            keys = [key for key, row in held if row and values.items() <= row.items()]
        else:
            self.flush()
            columns = self.table_of(table).c
            wanted = [columns[name] == value for name, value in values.items()]
            found = select(*(columns[name] for name in key_of(table))).where(*wanted)
            keys = [tuple(key) for key in self.connection.execute(found)]
            self.preload((table, key) for key in keys)
        return [self.change(table, *key) for key in keys]

    def change(self, table: Table, *key: Any) -> Row:
        """The row, which may be changed in place. Raises LookupError if there is none."""
        row = self.get(table, *key)
        if row is None:
            raise LookupError(f"{table.name} has no row {key}")
        self._changed[table][key] = None
        return row

    def put(self, table: Table, **row: Any) -> None:
        """Insert a row or replace an existing one."""
        key = tuple(row[name] for name in key_of(table))
        self._loaded[table][key] = blank_of(table) | row
        self._changed[table][key] = None

    def add(self, table: Table, key: Key, **amounts: Any) -> None:
        """Add to the numbers of a row, which is created if it does not exist."""
        row = self.get(table, *key)
        if row is None:
            names = zip(key_of(table), key, strict=True)
            self.put(table, **dict(names), **amounts)
            return
        for name, amount in amounts.items():
            row[name] += amount
        self._changed[table][key] = None

    def all(self, table: Table) -> list[Row]:
        """Every row in memory, ordered by key: for folds and tests."""
        rows = ((key, row) for key, row in self._loaded[table].items() if row is not None)
        return [row for _, row in sorted(rows, key=lambda pair: pair[0])]

    def flush(self) -> None:
        """Write the changed rows, with one statement per table, and their digests."""
        if self.connection is None:
            return
        changes = {}
        for table, changed in self._changed.items():
            held = self._loaded[table]
            if keys := [key for key in changed if held[key] is not None]:
                changes[self.table_of(table)] = self._write(self.connection, table, keys)
        if changes:
            add_to_kept(self.connection, changes)
        self._changed.clear()

    def _write(self, connection: Connection, table: Table, keys: list[Key]) -> Digest:
        """Write these rows; returns the change of the table's digest."""
        stored, held = self._stored[table], self._loaded[table]
        if unread := [key for key in keys if key not in stored]:
            self._read(connection, table, unread)
        before = [row for key in keys if (row := stored[key]) is not None]
        after = self._bulk(table, connection).write(connection, [held[key] or {} for key in keys])
        stored.update(zip(keys, after, strict=True))
        return digest_of(self._key, after) - digest_of(self._key, before)

    def table_of(self, table: Table) -> Table:
        """The table that holds the rows of `table`."""
        return self._tables.get(table, table)

    def _bulk(self, table: Table, connection: Connection) -> Bulk:
        return bulk_of(self.table_of(table), connection)

    def _load(self, table: Table, keys: list[Key]) -> None:
        held = self._loaded[table]
        for key in keys:
            held.setdefault(key, None)
        if self.connection is not None:
            held.update(self._read(self.connection, table, keys))

    def _read(self, connection: Connection, table: Table, keys: list[Key]) -> dict[Key, Row]:
        """The existing rows among these keys."""
        bulk, stored, rows = self._bulk(table, connection), self._stored[table], dict[Key, Row]()
        stored.update(dict.fromkeys(keys))
        for found in bulk.stored(connection, keys):
            key, row = bulk.read(found)
            stored[key], rows[key] = found, row
        return rows


class ObservedRows(Rows):
    """Rows that can name each value that was changed since they were loaded."""

    def __init__(self, connection: Connection, key: bytes = b"") -> None:
        super().__init__(connection, key)
        self._before: dict[tuple[Table, Key], Row] = {}

    def put(self, table: Table, **row: Any) -> None:
        self.get(table, *(row[name] for name in key_of(table)))
        super().put(table, **row)

    def _load(self, table: Table, keys: list[Key]) -> None:
        super()._load(table, keys)
        for key in keys:
            self._before[table, key] = dict(self._loaded[table][key] or {})

    def changes(self) -> list[RowChange]:
        """One for each row that was added or changed, in the order in which they were loaded."""
        found = []
        for (table, key), before in self._before.items():
            after = self._loaded[table][key] or {}
            fields = tuple(
                FieldChange(name, _text(before.get(name)), _text(after[name]))
                for name in after
                if before.get(name) != after[name]
            )
            if fields:
                action = "changed" if before else "added"
                text = ", ".join(map(str, key))
                found.append(
                    RowChange(table=str(table.name), action=action, key=text, fields=fields)
                )
        return found


def _text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return None if value is None else str(value)
