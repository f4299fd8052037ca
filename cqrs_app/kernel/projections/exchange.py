"""Exchanges the names of live tables with those of their second generation, in the caller's
transaction: readers see either all of the old or all of the new."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.projections.generation import SUFFIX, name_of

BLOCKED_SECONDS = 0.03
"""How long readers may have to wait while the locks on all tables are taken."""

PATIENCE_SECONDS = 5.0
"""How long to try again while longer queries hold the tables."""

PAUSE_SECONDS = 0.1


def exchange(connection: Connection, names: Sequence[str]) -> None:
    """Exchange each of these tables, with indexes and constraints, with its second generation.

    Raises OperationalError if others hold the tables for longer than PATIENCE_SECONDS.
    """
    if connection.dialect.name == "postgresql":
        _on_postgresql(connection, names)
    else:
        _on_sqlite(connection, names)


def _on_postgresql(connection: Connection, names: Sequence[str]) -> None:
    # Renaming an index keeps no reader waiting, so that is done before the tables are locked.
    both = [*names, *map(name_of, names)]
    found = connection.execute(_INDEXES, {"names": both})
    indexes: dict[str, str] = {row.name: row.owner for row in found}
    live = [name for name, table in indexes.items() if table in names]
    second = {name: name.replace(SUFFIX, "") for name in indexes if name not in live}
    _run(connection, _renamings("INDEX", live, second))
    # Readers need not wait for the disk. A swap that a crash of the server loses is done again,
    # since the cursor of who does it is lost with it.
    connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
    _lock(connection, both)
    _run(connection, _renamings("TABLE", names, {name_of(name): name for name in names}))


def _lock(connection: Connection, names: Sequence[str]) -> None:
    """Lock the tables for this transaction. Whoever waits for a lock keeps later readers waiting,
    so all are taken within BLOCKED_SECONDS or released again, until it succeeds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        started = time.monotonic()
        try:
            with connection.begin_nested():
                for name in names:
                    left = BLOCKED_SECONDS - (time.monotonic() - started)
                    limit = max(int(left * 1000), 1)
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")
                    connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
            connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
            return
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def _renamings(kind: str, live: Iterable[str], second: dict[str, str]) -> Iterator[str]:
    aside = {name: f"swapped_{number}" for number, name in enumerate(second)}
    for name, other in aside.items():
        yield f'ALTER {kind} "{name}" RENAME TO {other}'
    for name in live:
        yield f'ALTER {kind} "{name}" RENAME TO "{name_of(name)}"'
    for name, other in aside.items():
        yield f'ALTER {kind} {other} RENAME TO "{second[name]}"'


def _run(connection: Connection, statements: Iterable[str]) -> None:
    """Run all of them in one round trip."""
    if joined := "; ".join(statements):
        connection.exec_driver_sql(joined)


_INDEXES = text(
    "SELECT i.relname AS name, t.relname AS owner FROM pg_index x"
    " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
    " WHERE t.relname = ANY(:names) AND pg_table_is_visible(t.oid)"
)


def _on_sqlite(connection: Connection, names: Sequence[str]) -> None:
    """Change the names in the schema, as https://www.sqlite.org/lang_altertable.html describes for
    changes that do not touch stored rows. SQLite cannot rename an index, and each ALTER TABLE reads
    the whole schema again: for the tables of orders, a tenth of a second in which nobody can write.
    Views are not rewritten to follow the tables."""
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        both = {name: name_of(name) for name in names}
        both |= {second: live for live, second in both.items()}
        found = connection.execute(_SCHEMA, {"tables": [*both]}).all()
        connection.execute(_RENAME, [_exchanged(row, both) for row in found])
        connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    finally:
        # It belongs to the connection, which others use next, and outlives a rollback.
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def _exchanged(row: Any, both: Mapping[str, str]) -> dict[str, Any]:
    """The row of a table or an index in the schema, with the names of the other generation."""
    table = both[row.tbl_name]

    def other(name: str) -> str:
        return both.get(name) or (
            name_of(name) if table.endswith(SUFFIX) else name.removesuffix(SUFFIX)
        )

    def renamed(match: re.Match[str]) -> str:
        what, name = match.groups()
        # It may be the ON of a constraint.
        return match[0] if what == "ON" and name not in both else f'{what} "{other(name)}"'

    if row.sql is None:  # the index that SQLite makes for a constraint
        name = row.name.replace(f"_{row.tbl_name}_", f"_{table}_")
        return {"id": row.rowid, "name": name, "table": table, "sql": None}
    sql = _NAMED.sub(renamed, row.sql)
    return {"id": row.rowid, "name": other(row.name), "table": table, "sql": sql}


_NAMED = re.compile(r"""\b(TABLE|INDEX|ON|CONSTRAINT) ["']?(\w+)["']?""")
_SCHEMA = text(
    "SELECT rowid, name, tbl_name, sql FROM sqlite_schema"
    " WHERE type IN ('table', 'index') AND tbl_name IN :tables"
).bindparams(bindparam("tables", expanding=True))
_RENAME = text(
    "UPDATE sqlite_schema SET name = :name, tbl_name = :table, sql = :sql WHERE rowid = :id"
)
