"""What a subscription would change if it processed some events now. Nothing of it is kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

_WRITE = re.compile(r'\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
_ACTIONS = {"INSERT": "added", "UPDATE": "changed", "DELETE": "deleted"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a row that would change; None stands for no value."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """Rows of one table that would be added, changed or deleted. A projection gives each row with
    its `key` and `fields`; other subscriptions the number of rows."""

    table: str
    action: str
    rows: int = 1
    key: str = ""
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a retry of a stream's parked events would come to: how many of them would be processed,
    the error of the one that would fail again (empty if none), and the changes up to it."""

    subscription: str
    stream: str
    waiting: int
    processed: int
    error: str
    changes: tuple[RowChange, ...]


@contextmanager
def counted_writes(connection: Connection) -> Iterator[Counter[tuple[str, str]]]:
    """Counts the rows that statements in the `with` block write: (table, action) -> rows."""
    counts: Counter[tuple[str, str]] = Counter()

    def count(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        found = _WRITE.match(statement)
        if found and cursor.rowcount > 0:
            action = _ACTIONS[found[1].split()[0].upper()]
            counts[found[2], action] += cursor.rowcount

    event.listen(connection, "after_cursor_execute", count)
    try:
        yield counts
    finally:
        event.remove(connection, "after_cursor_execute", count)


def changes_of(counts: Counter[tuple[str, str]]) -> tuple[RowChange, ...]:
    """These counts as changes, ordered by table."""
    return tuple(
        RowChange(table=table, action=action, rows=rows)
        for (table, action), rows in sorted(counts.items())
    )


def merged(changes: Sequence[RowChange]) -> tuple[RowChange, ...]:
    """The changes of several events, with the changes of one row or one table put together."""
    found: dict[tuple[str, str, str], RowChange] = {}
    for change in changes:
        kind = change.table, change.key, "" if change.key else change.action
        earlier = found.get(kind)
        found[kind] = _both(earlier, change) if earlier else change
    return tuple(found.values())


def _both(first: RowChange, then: RowChange) -> RowChange:
    if not first.key:
        return RowChange(table=first.table, action=first.action, rows=first.rows + then.rows)
    fields = {each.name: each for each in first.fields}
    for each in then.fields:
        before = fields[each.name].before if each.name in fields else each.before
        fields[each.name] = FieldChange(each.name, before, each.after)
    return RowChange(
        table=first.table, action=first.action, key=first.key, fields=tuple(fields.values())
    )
