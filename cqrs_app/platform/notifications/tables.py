"""The write store's tables of notifications, and of those that are mailed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, and_

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
    # From when on it is to be mailed, and the mail that it is in; both empty for the console only.
    Column("mail_at", UtcDateTime),
    Column("mail_id", String(36)),
)
_unmailed = and_(notifications.c.mail_at.is_not(None), notifications.c.mail_id.is_(None))
Index(
    "ix_notifications_mail_at",
    notifications.c.mail_at,
    postgresql_where=_unmailed,
    sqlite_where=_unmailed,
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

notification_mails = Table(
    "notification_mails",
    write_tables,
    # Part of the Message-ID.
    Column("mail_id", String(36), primary_key=True),
    Column("operator", String(100), nullable=False),
    Column("address", String(254), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # "waiting", "sent" or "failed".
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("taken_until", UtcDateTime),
)
Index("ix_notification_mails_due", notification_mails.c.state, notification_mails.c.next_attempt_at)
Index(
    "ix_notification_mails_operator",
    notification_mails.c.operator,
    notification_mails.c.created_at,
)
