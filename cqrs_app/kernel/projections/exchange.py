"""Exchanges the names of live tables with those of their second generation, in the caller's
transaction: readers see either all of the old or all of the new."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

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
    # Otherwise views would be rewritten to follow the tables.
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    try:
        for statement in _renamings("TABLE", names, {name_of(name): name for name in names}):
            connection.exec_driver_sql(statement)
        _rename_indexes(connection, names)
    finally:
        connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")


def _rename_indexes(connection: Connection, names: Sequence[str]) -> None:
    """SQLite cannot rename an index, and to make it again takes long. So its name is changed in the
    schema, as https://www.sqlite.org/lang_altertable.html describes for other changes that do not
    touch stored rows. The tables have been exchanged before."""
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    second = {"names": [name_of(name) for name in names], "suffix": SUFFIX}
    connection.execute(_NAME_SECOND, second)
    connection.execute(_NAME_LIVE, {"names": [*names], "suffix": SUFFIX})
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


_NAME_SECOND = text(
    "UPDATE sqlite_schema SET name = name || :suffix, sql = replace(sql, name, name || :suffix)"
    " WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN :names"
).bindparams(bindparam("names", expanding=True))
# Constraints are named in the statement that created the table.
_NAME_LIVE = text(
    "UPDATE sqlite_schema SET name = replace(name, :suffix, ''), sql = replace(sql, :suffix, '')"
    " WHERE type IN ('index', 'table') AND sql IS NOT NULL AND tbl_name IN :names"
).bindparams(bindparam("names", expanding=True))
