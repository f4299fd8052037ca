"""What the write store holds about deliveries: how far each webhook is, and its secrets.

None of it can be rebuilt from events: it says what has been done in the world outside.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write

webhook_cursors = Table(
    "webhook_cursors",
    write,
    Column("webhook_id", String(40), primary_key=True),
    # The last event of the log that is done with: delivered, or of a type nobody asked for.
    Column("position", BigKey, nullable=False),
    # The version of the webhook's own stream whose replays and tests have been carried out.
    Column("acted_version", Integer, nullable=False),
    # running, paused or removed, as of that version.
    Column("state", String(10), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("next_attempt_at", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("last_success_at", UtcDateTime),
    Column("delivered", BigKey, nullable=False),
    Column("failed", BigKey, nullable=False),
    # The lease: who delivers now, and until when others keep away.
    Column("taken_by", String(36)),
    Column("taken_until", UtcDateTime),
)

webhook_attempts = Table(
    "webhook_attempts",
    write,
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
    write,
    Column("webhook_id", String(40), primary_key=True),
    # The how-manieth secret of this webhook.
    Column("number", Integer, primary_key=True),
    Column("secret", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
