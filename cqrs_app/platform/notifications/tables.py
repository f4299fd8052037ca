"""The write store's table of notifications."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

notifications = Table(
    "notifications",
    write_tables,
    Column("operator", String(100), primary_key=True),
    # Of the event that it is about.
    Column("position", BigKey, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("stream", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("read_at", UtcDateTime),
    # The batch whose items brought it: however many, there is one of each kind.
    Column("batch_id", String(36)),
)
Index(
    "ix_notifications_batch",
    notifications.c.operator,
    notifications.c.kind,
    notifications.c.batch_id,
    unique=True,
)
_unread = notifications.c.read_at.is_(None)
Index(
    "ix_notifications_unread",
    notifications.c.operator,
    postgresql_where=_unread,
    sqlite_where=_unread,
)
Index("ix_notifications_at", notifications.c.at)
