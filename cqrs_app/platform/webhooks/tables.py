"""The write store's tables for deliveries: endpoints, pending deliveries, attempts and secrets.

None of them can be rebuilt from events: they record what was done in other systems.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

webhook_endpoints = Table(
    "webhook_endpoints",
    write_tables,
    Column("webhook_id", String(40), primary_key=True),
    # A JSON list; empty for all.
    Column("event_types", Text, nullable=False),
    # running, paused or removed.
    Column("state", String(10), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("next_attempt_at", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("last_success_at", UtcDateTime),
    Column("delivered", BigKey, nullable=False),
    Column("failed", BigKey, nullable=False),
    # Events after the first position, up to and including the second, must still become deliveries.
    Column("replay_after", BigKey, nullable=False),
    Column("replay_until", BigKey, nullable=False),
    # The lease of the process that delivers now.
    Column("taken_by", String(36)),
    Column("taken_until", UtcDateTime),
)

# One row per event that must still be sent to a webhook.
webhook_deliveries = Table(
    "webhook_deliveries",
    write_tables,
    Column("webhook_id", String(40), primary_key=True),
    Column("position", BigKey, primary_key=True, autoincrement=False),
    Column("stream", String(200), nullable=False),
    # A test is sent before all others, even while the webhook is paused, and only once.
    Column("test", Boolean, nullable=False),
    # Set if the event could not be read: it and later events of its stream wait until then.
    Column("retry_at", UtcDateTime),
)
_test = webhook_deliveries.c.test
Index(
    "ix_webhook_deliveries_test",
    webhook_deliveries.c.webhook_id,
    postgresql_where=_test,
    sqlite_where=_test,
)
_unreadable = webhook_deliveries.c.retry_at.is_not(None)
Index(
    "ix_webhook_deliveries_retry_at",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.retry_at,
    postgresql_where=_unreadable,
    sqlite_where=_unreadable,
)

webhook_attempts = Table(
    "webhook_attempts",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("webhook_id", String(40), nullable=False),
    Column("message_id", String(40), nullable=False),
    Column("type", String(100), nullable=False),
    Column("position", BigKey, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("duration_ms", Float, nullable=False),
    Column("attempted_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_webhook_attempts_webhook_id_id", webhook_attempts.c.webhook_id, webhook_attempts.c.id)

webhook_secrets = Table(
    "webhook_secrets",
    write_tables,
    Column("webhook_id", String(40), primary_key=True),
    # Counts the secrets of this webhook, from 1.
    Column("number", Integer, primary_key=True),
    # Sealed: see keyring.py.
    Column("secret", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
