"""How the engines of the two databases behave: timeouts, transactions, durability."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite

READING = "countersign_reading"

CHECK_EVERY_OPCODES = 50_000
"""How often SQLite looks at the clock while a query runs."""


def reader_of(engine: Engine) -> Engine:
    """The same engine without transactions: each statement stands alone, nothing is locked."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{READING: True})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def engine_options(url: str, *, timeout: float, pool_size: int, read_only: bool) -> dict[str, Any]:
    """Options for create_engine. `timeout` in seconds bounds one statement (PostgreSQL) or the
    wait for the writer's lock (SQLite). What is written stays out of messages about errors."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": min(timeout, 30.0), "check_same_thread": False},
        }
    options = (
        f"-c statement_timeout={int(timeout * 1000)} -c idle_in_transaction_session_timeout=60000"
    )
    if read_only:
        options += " -c default_transaction_read_only=on"
    return {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_pre_ping": True,
        "connect_args": {"options": options, "connect_timeout": 5},
    }


def insert_into(store: Connection | Engine, table: Table) -> Any:
    """An insert that can say what to do on a conflict, in the words of this database."""
    dialect = postgresql if store.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def configure_sqlite(engine: Engine, *, durable: bool, read_only: bool, timeout: float) -> None:
    """WAL; writers take the lock at BEGIN, readers see one snapshot.

    `durable`: fsync every commit (the write store). A read store can be rebuilt from events, so
    it may lose its last commits with the power, never its consistency.
    """

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, record: Any) -> None:
        # The driver's own transaction handling is switched off; _begin below does it.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(READING):
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    if read_only:
        _stop_slow_queries(engine, timeout)


def _stop_slow_queries(engine: Engine, timeout: float) -> None:
    @event.listens_for(engine, "checkout")
    def _checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        deadline = time.monotonic() + timeout
        dbapi_connection.set_progress_handler(
            lambda: time.monotonic() > deadline, CHECK_EVERY_OPCODES
        )
