"""The write store's tables of alerts, so that alerts work while the read store is down."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

# The rules that were changed; others have their defaults.
alert_rules = Table(
    "alert_rules",
    write_tables,
    Column("rule", String(60), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("raise_at", Integer, nullable=False),
    Column("clear_at", Integer, nullable=False),
    Column("pending_seconds", Integer, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("owner", String(100), nullable=False),
)

# The rules that are silenced, or were.
alert_rule_silences = Table(
    "alert_rule_silences",
    write_tables,
    Column("rule", String(60), primary_key=True),
    Column("until", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("operator", String(100), nullable=False),
)

# The problems that are beyond the limit of their rule now, raised or pending.
alert_conditions = Table(
    "alert_conditions",
    write_tables,
    Column("alert_id", String(160), primary_key=True),
    Column("rule", String(60), nullable=False),
    Column("title", Text, nullable=False),
    Column("cost", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("value", Float, nullable=False),
    Column("raised", Boolean, nullable=False),
)

# Every alert that was ever raised, with its state.
alerts = Table(
    "alerts",
    write_tables,
    Column("alert_id", String(160), primary_key=True),
    Column("rule", String(60), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("cost", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    # raised, acknowledged or resolved.
    Column("state", String(12), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(100), nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("silenced_until", UtcDateTime),
    Column("times", Integer, nullable=False),
    # The version of its stream, so that pages know what they miss.
    Column("applied_version", Integer, nullable=False),
)
Index("ix_alerts_state", alerts.c.state, alerts.c.raised_at)

# What happened to each alert, newest last.
alert_entries = Table(
    "alert_entries",
    write_tables,
    Column("position", BigKey, primary_key=True, autoincrement=False),
    Column("alert_id", String(160), nullable=False),
    Column("type", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("text", Text, nullable=False),
)
Index("ix_alert_entries_alert_id", alert_entries.c.alert_id, alert_entries.c.position)

# What is to be sent, or was sent, to each channel.
alert_notices = Table(
    "alert_notices",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("alert_id", String(160), nullable=False),
    Column("position", BigKey, nullable=False),
    Column("channel", String(60), nullable=False),
    # raised, resolved or test.
    Column("kind", String(10), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    # waiting, sent, dropped (overtaken by its opposite) or failed (given up).
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("taken_until", UtcDateTime),
    sqlite_autoincrement=True,
)
Index("ix_alert_notices_alert_id", alert_notices.c.alert_id, alert_notices.c.id)
_waiting = alert_notices.c.state == "waiting"
Index(
    "ix_alert_notices_waiting",
    alert_notices.c.next_attempt_at,
    postgresql_where=_waiting,
    sqlite_where=_waiting,
)

# When each task of all hosts is due again, such as "watch" and "heartbeat": see schedule.py.
alert_tasks = Table(
    "alert_tasks",
    write_tables,
    Column("name", String(20), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("error", Text, nullable=False),
    Column("taken_until", UtcDateTime),
)
