"""Leases: who may work on a row, and until when, by the clock of the row's database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from cqrs_app.kernel.store.columns import UtcDateTime


class _TimeFromNow(FunctionElement[Any]):
    """The database's clock plus a number of seconds, stored like any UtcDateTime."""

    inherit_cache = True
    type = UtcDateTime()


@compiles(_TimeFromNow, "sqlite")
def _on_sqlite(element: _TimeFromNow, compiler: Any, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


@compiles(_TimeFromNow, "postgresql")
def _on_postgresql(element: _TimeFromNow, compiler: Any, **options: Any) -> str:
    # Unlike clock_timestamp(), it is constant within a statement, so that an index can be used.
    seconds = compiler.process(element.clauses, **options)
    return f"(statement_timestamp() + make_interval(secs => {seconds}))"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease of this length, whose end is stored in a nullable column of the leased row.

    Take or renew it with an UPDATE that sets the column to `end()`; take it only where `is_free`.
    The clocks of the processes do not matter.
    """

    length: timedelta

    def end(self) -> ColumnElement[Any]:
        """The value for the column: the end of a lease taken or renewed now."""
        return _TimeFromNow(literal(self.length.total_seconds()))

    def is_free(self, until: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether nobody holds the row: it has no lease, or an expired one.

        A lease that ends in more than twice its length counts as none: the clock was set back
        since. The margin is needed on PostgreSQL, where the clock of a statement stands still while
        it waits for the row: meanwhile somebody else may take a lease that ends later than one
        taken now.
        """
        now, never = (_TimeFromNow(literal(n * self.length.total_seconds())) for n in (0, 2))
        return or_(until.is_(None), until <= now, until > never)
