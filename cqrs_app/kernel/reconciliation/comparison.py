"""Compares the rows of a projection with those that its events lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Table

from cqrs_app.kernel.projections.bulk import Key, Row, Stored, bulk_of
from cqrs_app.kernel.projections.digests import Digest, digest_of, stored_pages

Kind = Literal["changed", "missing", "extra"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what its events lead to. `found` is the row that is there, as it is stored,
    and `there` the same in Python's types; None if it is missing. `right` is None if there should
    be no such row."""

    table: Table
    key: Key
    found: Stored | None
    there: Row | None
    right: Row | None

    @property
    def kind(self) -> Kind:
        if self.found is None:
            return "missing"
        return "extra" if self.right is None else "changed"

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """The columns of a changed row: what is there, and what should be."""
        if self.there is None or self.right is None:
            return {}
        return {
            name: (value, self.right[name])
            for name, value in self.there.items()
            if value != self.right[name]
        }


def differences(
    live: Connection, right: Connection, table: Table, key: bytes
) -> Iterator[tuple[Digest, list[Difference]]]:
    """Page by page, the digest of the rows that are there and those that differ; `key` is that of
    the digests."""
    matched, reader, scratch = 0, bulk_of(table, live), bulk_of(table, right)
    for page in stored_pages(live, table):
        there = [reader.read(stored) for stored in page]
        known = dict(map(scratch.read, scratch.stored(right, [row_key for row_key, _ in there])))
        matched += len(known)
        yield (
            digest_of(key, page),
            [
                Difference(table, row_key, stored, row, known.get(row_key))
                for stored, (row_key, row) in zip(page, there, strict=True)
                if known.get(row_key) != row
            ],
        )
    if matched == _count(right, table):
        return
    for page in stored_pages(right, table):
        known = dict(map(scratch.read, page))
        there_are = {reader.read(stored)[0] for stored in reader.stored(live, known)}
        yield (
            Digest(),
            [
                Difference(table, row_key, None, None, row)
                for row_key, row in known.items()
                if row_key not in there_are
            ],
        )


def _count(connection: Connection, table: Table) -> int:
    statement = f"SELECT count(*) FROM {table.name}"  # noqa: S608 - a name of our own
    return int(connection.exec_driver_sql(statement).scalar_one())
