"""The event store: one interface, two databases."""

from __future__ import annotations

from sqlalchemy import Engine

from cqrs_app.kernel.store.base import Change, EventStore, Head, LogEntry
from cqrs_app.kernel.store.sqlite import SqliteEventStore

__all__ = ["Change", "EventStore", "Head", "LogEntry", "event_store"]


def event_store(engine: Engine) -> EventStore:
    """The event store for the engine's database."""
    if engine.dialect.name == "postgresql":
        # Imported here, so that a console on SQLite does not need psycopg.
        from cqrs_app.kernel.store.postgresql import PostgresEventStore

        return PostgresEventStore(engine)
    return SqliteEventStore(engine)
