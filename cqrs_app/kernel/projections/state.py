"""Read models that are the state of an aggregate: a table made from the type of its rows, and the
projection that keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Boolean, Column, Date, Integer, String, Table
from sqlalchemy.types import TypeEngine

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.fields import hints_of, meta_of, plain_type
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Key, Rows
from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.tables import read_tables

LONGEST_CHOICE = 40
"""Characters of a stored member of an enumeration."""
_TYPES: tuple[tuple[type, Any], ...] = (
    (bool, Boolean),
    (int, Integer),
    (Decimal, Amount),
    (datetime, UtcDateTime),
    (date, Date),
)


def table_of(name: str, row: type, *, key: str, indexed: Collection[str] = ()) -> Table:
    """A table of the read store with a column for each field of the dataclass `row`; `key` is its
    primary key.

    A text is as long as the `max_length` of its Meta. Raises TypeError for a field that no column
    fits: such a table is declared by hand.
    """
    return Table(
        name,
        read_tables,
        *(
            Column(
                each,
                _type_of(each, hint),
                primary_key=each == key,
                nullable=plain_type(hint) != hint and type(None) in _members(hint),
                index=each in indexed or None,
            )
            for each, hint in hints_of(row).items()
        ),
    )


def _members(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__args__", ())


def _type_of(name: str, hint: Any) -> TypeEngine[Any]:
    plain, meta = plain_type(hint), meta_of(hint)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return String(LONGEST_CHOICE)
    if plain is str and meta and meta.max_length:
        return String(meta.max_length)
    found = next((kind for cls, kind in _TYPES if plain is cls), None)
    if found is None:
        raise TypeError(f"{name}: {plain} has no column, or it is a text without max_length.")
    made: TypeEngine[Any] = found()
    return made


class StateProjection(Projection):
    """Keeps a row for each aggregate of a kind: its identity, its state and its version.

    The table has a column for each field of the state, from which the next event is applied with
    the aggregate's own `evolve`. `follows` are the events of its streams. Increment `version`
    whenever `evolve` changes.
    """

    aggregate: ClassVar[type[Aggregate]]
    follows: ClassVar[tuple[type[Event], ...]]

    def bind(self, events: Iterable[type[Event]]) -> None:
        """Raises TypeError where the table lacks a field of the state."""
        [table] = self.tables
        lacking = {each.name for each in fields(self.aggregate)} - {*table.c.keys()}  # type: ignore[arg-type]
        if lacking:
            raise TypeError(f"{table.name} has no column for {', '.join(sorted(lacking))}.")
        self.handlers = {each.__name__: partial(self._follow, table) for each in self.follows}

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        yield self.tables[0], (self._identity(recorded),)

    def _identity(self, recorded: Recorded) -> str:
        return recorded.stream.removeprefix(f"{self.aggregate.category}-")

    def _follow(self, table: Table, event: Event, recorded: Recorded, rows: Rows) -> None:
        identity = self._identity(recorded)
        row = rows.get(table, identity)
        state = msgspec.convert(row, self.aggregate) if row else self.aggregate()
        state.evolve(event, recorded.occurred_at)
        own = {self.aggregate.identity: identity, "applied_version": recorded.version}
        rows.put(table, **own, **state_of(state))


def state_of(aggregate: Aggregate) -> dict[str, Any]:
    """The fields of its state by name."""
    return {each.name: getattr(aggregate, each.name) for each in fields(aggregate)}  # type: ignore[arg-type]
