"""The write store's tables of failures. They cannot be rebuilt: most failures are in no event."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

failures = Table(
    "failures",
    write_tables,
    Column("failure_id", String(12), primary_key=True),
    # The cause: see causes.py.
    Column("kind", String(12), nullable=False),
    Column("place", String(200), nullable=False),
    Column("error", String(100), nullable=False),
    Column("message", Text, nullable=False),
    Column("code", String(300), nullable=False),
    Column("count", BigKey, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("first_release", String(40), nullable=False),
    Column("last_release", String(40), nullable=False),
    # The last occurrence, without personal values.
    Column("sample", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    # open, resolved or ignored, from the events of its stream.
    Column("state", String(10), nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("ignored_until", UtcDateTime),
    # Set when it came back after it was resolved.
    Column("regressed_at", UtcDateTime),
    Column("regressed_in", String(40)),
)
Index("ix_failures_last_seen", failures.c.last_seen)
_unresolved = failures.c.state != "resolved"
Index(
    "ix_failures_unresolved",
    failures.c.kind,
    postgresql_where=_unresolved,
    sqlite_where=_unresolved,
)

failure_occurrences = Table(
    "failure_occurrences",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("failure_id", String(12), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("release", String(40), nullable=False),
    # The stream concerned, and what leads to this occurrence: see Reporter.
    Column("subject", String(200), nullable=False),
    Column("reference", String(64), nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "ix_failure_occurrences_failure_id",
    failure_occurrences.c.failure_id,
    failure_occurrences.c.id,
)

failure_hours = Table(
    "failure_hours",
    write_tables,
    Column("failure_id", String(12), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("count", Integer, nullable=False),
)
