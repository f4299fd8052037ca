"""Leases: who may work on a row, until when, by the clock of the database that holds the row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from cqrs_app.kernel.store.columns import UtcDateTime


class _TimeFromNow(FunctionElement[Any]):
    """The database's clock, so many seconds from now; stored like any UtcDateTime."""

    inherit_cache = True
    type = UtcDateTime()


@compiles(_TimeFromNow, "sqlite")
def _on_sqlite(element: _TimeFromNow, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


@compiles(_TimeFromNow, "postgresql")
def _on_postgresql(element: _TimeFromNow, compiler: Any, **options: Any) -> str:
    # Unlike clock_timestamp(), it is the same for all rows of a statement: an index can be used.
    seconds = compiler.process(element.clauses, **options)
    return f"(statement_timestamp() + make_interval(secs => {seconds}))"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease of this length, whose end is kept in a nullable column of the row it is on.

    Take or renew it with an UPDATE that sets the column to `end()`; take it only where `is_free`.
    Clocks of the processes do not matter.
    """

    length: timedelta

    def end(self) -> ColumnElement[Any]:
        """The value for the column: when a lease that is taken or renewed now ends."""
        return _TimeFromNow(literal(self.length.total_seconds()))

    def is_free(self, until: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether nobody holds the row: no lease, or one that is over.

        A lease that ends in more than twice its length counts as none: the clock was set back
        since. Not one that ends just later than a lease taken now: on PostgreSQL the clock of a
        statement stands still while it waits for the row, which somebody else takes meanwhile.
        """
        now, never = (_TimeFromNow(literal(n * self.length.total_seconds())) for n in (0, 2))
        return or_(until.is_(None), until <= now, until > never)
