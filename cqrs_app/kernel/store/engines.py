"""Configures the engines of both databases: timeouts, transactions, durability."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Engine, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from cqrs_app.kernel.store.deadlines import answered_within

READING = "kernel_reading"

PING_SECONDS = 2.0
"""How long an idle connection may take to show that its server is there."""

ANSWER_SECONDS = 1.0
"""How long the client waits beyond the limit of one statement, which the server keeps."""

IDLE_SECONDS = 1.0
"""A connection that was idle for longer is checked before it is used."""

CHECKPOINT_PAGES = 4_000
"""Pages of 4 KiB in SQLite's write-ahead log before a checkpoint copies them into the database.
Commits touch mostly the same pages, which are then copied once for many commits."""

CHECK_EVERY_OPCODES = 50_000
"""How often SQLite checks the deadline of a running query."""


def reader_of(engine: Engine) -> Engine:
    """The same engine without transactions: each statement runs on its own and locks nothing. The
    engine must be configured."""
    return engine.execution_options(**{READING: True})


@contextmanager
def raw_connection(engine: Engine) -> Iterator[Any]:
    """The driver's connection, from the pool of a configured engine.

    For the few statements so frequent and short that SQLAlchemy's overhead would exceed their run
    time. An uncommitted transaction is rolled back.
    """
    errors = engine.dialect.loaded_dbapi.Error
    try:
        pooled = engine.raw_connection()
    except errors as error:
        raise _translated(engine, error) from error
    driver = pooled.driver_connection
    try:
        yield driver
    except errors as error:
        translated = _translated(engine, error, driver)
        if translated.connection_invalidated:
            pooled.invalidate(error)
        raise translated from error
    finally:
        pooled.close()


def placeholder_of(engine: Engine) -> str:
    """The driver's placeholder for a parameter."""
    return "?" if engine.dialect.name == "sqlite" else "%s"


@contextmanager
def translated_errors(engine: Engine, driver: Any) -> Iterator[None]:
    """Raise errors of the driver as the SQLAlchemy errors that other statements raise."""
    try:
        yield
    except engine.dialect.loaded_dbapi.Error as error:
        raise _translated(engine, error, driver) from error


def _translated(engine: Engine, error: Any, driver: Any = None) -> DBAPIError:
    translated = DBAPIError.instance(
        None,
        None,
        error,
        engine.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=engine.dialect.is_disconnect(error, driver, None),
        dialect=engine.dialect,
    )
    return cast(DBAPIError, translated)


NETWORK = {
    "connect_timeout": 5,
    # A host that has disappeared is noticed after ten seconds, idle or in mid-statement.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How PostgreSQL's client detects a broken network. Options in the URL take precedence."""


def engine_options(
    url: str, *, timeout: float, pool_size: int, read_only: bool, pooled: bool = False
) -> dict[str, Any]:
    """Options for create_engine. `timeout` (seconds) limits one statement on PostgreSQL, or the
    wait for the write lock on SQLite. Values are kept out of error messages.

    `pooled`: a pooler such as PgBouncer assigns each transaction another server connection. So no
    session settings are made and no statement is prepared under a name; the limits must then be set
    on the role (docs/operating.md).
    """
    # Reuse the most recent connection: it has prepared statements and cached pages.
    options: dict[str, Any] = {"hide_parameters": True, "pool_use_lifo": True}
    if make_url(url).get_backend_name() == "sqlite":
        return options | {
            "connect_args": {"timeout": min(timeout, 30.0), "check_same_thread": False},
        }
    network = {name: each for name, each in NETWORK.items() if name not in make_url(url).query}
    sizes = {"pool_size": pool_size, "max_overflow": pool_size}
    if pooled:
        return options | sizes | {"connect_args": network | {"prepare_threshold": None}}
    session = (
        f"-c statement_timeout={int(timeout * 1000)} -c idle_in_transaction_session_timeout=60000"
    )
    # The client would take a session that only reads for a server that only reads.
    if read_only and make_url(url).query.get("target_session_attrs") != "read-write":
        session += " -c default_transaction_read_only=on"
    return options | sizes | {"connect_args": network | {"options": session}}


def insert_into(store: Connection | Engine, table: Table) -> Any:
    """An INSERT in the dialect of this database, which supports ON CONFLICT."""
    dialect = postgresql if store.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def configure(engine: Engine, *, durable: bool, read_only: bool, timeout: float) -> None:
    """Configure an engine. The driver's implicit transactions are switched off: one begins only
    with an explicit BEGIN, so that a reader (`reader_of`) sends nothing but its query.

    `durable`: fsync every commit (the write store). A read store can be rebuilt from events, so on
    SQLite it may lose its last commits in a power failure, but never its consistency. `timeout`
    (seconds) limits one statement: on PostgreSQL it is the server's limit, and the client waits a
    little longer; on SQLite it stops slow queries on a read-only store.
    """
    begin = "BEGIN"
    if engine.dialect.name == "sqlite":
        begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        _configure_sqlite(engine, durable=durable, read_only=read_only)
        if read_only:
            _stop_slow_queries(engine, timeout)
    else:
        _configure_postgres(engine, timeout)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(READING):
            connection.exec_driver_sql(begin)


def _configure_postgres(engine: Engine, timeout: float) -> None:
    """Ping a connection that was idle before it is used again. A restart of the server then causes
    no errors, and busy connections need no extra round trip."""
    from cqrs_app.kernel.store.postgresql_client import Connector

    dialect = engine.dialect
    connector = Connector(timeout + ANSWER_SECONDS)

    @event.listens_for(engine, "do_connect")
    def _do_connect(dialect: Any, record: Any, args: Any, parameters: Any) -> Any:
        return connector.connect(*args, **parameters)

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
        dbapi_connection.autocommit = True

    @event.listens_for(engine, "checkin")
    def _checkin(dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _checkout(dbapi_connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", math.inf) < IDLE_SECONDS:
            return
        try:
            with answered_within(PING_SECONDS):
                dialect.do_ping(dbapi_connection)
        except dialect.loaded_dbapi.Error as error:
            # The pool then opens a new connection, and no other of the old ones is tried.
            raise InvalidatePoolError(str(error)) from error


def _configure_sqlite(engine: Engine, *, durable: bool, read_only: bool) -> None:
    """Use WAL. Writers take the lock at BEGIN, readers see one snapshot."""

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten, so that an erased value stands in no free page.
        cursor.execute("PRAGMA secure_delete = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()


def empty_journal(engine: Engine, patience: float = 0.2) -> bool:
    """Copy SQLite's write-ahead log into the database and empty it, so that it holds no older rows.
    Returns whether that was possible within `patience` seconds; True on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return True
    with reader_of(engine).connect() as connection:
        usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual}")
    return not busy


def _stop_slow_queries(engine: Engine, timeout: float) -> None:
    @event.listens_for(engine, "checkout")
    def _checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        deadline = time.monotonic() + timeout
        dbapi_connection.set_progress_handler(
            lambda: time.monotonic() > deadline, CHECK_EVERY_OPCODES
        )
