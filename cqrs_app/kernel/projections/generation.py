"""A second generation of a projection's rows, in tables beside the ones that are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from sqlalchemy import (
    Connection,
    Constraint,
    MetaData,
    Table,
    text,
)
from sqlalchemy.schema import ColumnCollectionConstraint
from sqlalchemy.sql import quoted_name
from sqlalchemy.sql.naming import conv

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections import digests
from cqrs_app.kernel.projections.generation_rows import add_row, delete_row
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.subscriptions.cursors import BUILDING, cursors_in
from cqrs_app.kernel.subscriptions.parking import parking_in
from cqrs_app.kernel.subscriptions.subscription import Store, Subscription

SUFFIX = "__beside"
"""Ends the names of the tables, indexes and constraints of the second generation, and that of its
subscription."""


class Generation(Subscription):
    """Follows the log as its projection does, with a cursor and parked events of its own, into a
    copy of the projection's tables. A swap exchanges both: see exchange.py."""

    store: ClassVar[Store] = "read"

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        # Of the class elsewhere, but each projection has its own generation.
        self.name = name_of(projection.name)  # type: ignore[misc]
        self.version = projection.version  # type: ignore[misc]
        self.by_day = projection.by_day  # type: ignore[misc]
        self._metadata = MetaData()

    @cached_property
    def tables(self) -> dict[Table, Table]:
        """Table of the projection -> its copy."""
        return {table: self._copy(table) for table in self.projection.tables}

    def wants(self, event_type: str) -> bool:
        return self.projection.wants(event_type)

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        self.projection.store_rows(batch, Rows(connection, self.projection.digest_key, self.tables))

    def begin(self, connection: Connection, zone: str, at: datetime) -> None:
        """Create it, empty and at the beginning of the log. What there was of it is dropped."""
        self.drop(connection)
        self._metadata.create_all(connection, [*self.tables.values()])
        if connection.dialect.name == "postgresql":
            for table, copy in self.tables.items():
                for privilege, role in connection.execute(_GRANTS, {"name": table.name}).all():
                    connection.execute(text(f"GRANT {privilege} ON {copy.name} TO {role}"))
        cursors_in(self.store).ensure(connection, {self.name: self.version}, zone)
        cursors_in(self.store).set_state(connection, self.name, BUILDING)
        add_row(connection, self.projection.name, at)

    def finish(self, connection: Connection) -> None:
        """Create what its tables need once they are filled, and let PostgreSQL know them."""
        self.projection.create_extras(connection, SUFFIX)
        if connection.dialect.name == "postgresql":
            for copy in self.tables.values():
                connection.execute(text(f"ANALYZE {copy.name}"))

    def drop(self, connection: Connection) -> None:
        """Drop its rows, its cursor and its parked events, if there are any."""
        self.projection.drop_extras(connection, SUFFIX)
        self._metadata.drop_all(connection, [*self.tables.values()])
        cursors_in(self.store).delete(connection, self.name)
        parking_in(self.store).forget(connection, self.name)
        digests.forget(connection, self.tables.values())
        delete_row(connection, self.projection.name)

    def _copy(self, table: Table) -> Table:
        """The table under another name. Its indexes and constraints are renamed too: PostgreSQL and
        SQLite have one namespace for all indexes."""
        copy = table.to_metadata(self._metadata, name=name_of(table.name))
        named = {_kind_of(each): each.name for each in table.constraints}
        for constraint in copy.constraints:
            name = named[_kind_of(constraint)]
            constraint.name = conv(name_of(name)) if isinstance(name, str) else None
        for index in copy.indexes:
            index.name = quoted_name(name_of(str(index.name)), None)
        return copy


_GRANTS = text(
    "SELECT a.privilege_type,"
    " CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END"
    " FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
    " WHERE c.relname = :name AND pg_table_is_visible(c.oid) AND a.grantee <> c.relowner"
)


def _kind_of(constraint: Constraint) -> tuple[str, ...]:
    columns = constraint.columns if isinstance(constraint, ColumnCollectionConstraint) else ()
    return (type(constraint).__name__, *(each.name for each in columns))


def name_of(name: str) -> str:
    """The name of the same thing in the second generation."""
    return f"{name}{SUFFIX}"
