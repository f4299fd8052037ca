"""The table of this area's projection."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import read_tables

audit_entries = Table(
    "audit_entries",
    read_tables,
    # That of the event.
    Column("event_id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("who", String(200), nullable=False),
    Column("account", String(200), nullable=False),
    Column("about", Text, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("address", String(64), nullable=False),
    Column("session", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_audit_entries_at", audit_entries.c.at, audit_entries.c.event_id)
Index("ix_audit_entries_who", audit_entries.c.who, audit_entries.c.at)
Index("ix_audit_entries_account", audit_entries.c.account, audit_entries.c.at)
Index("ix_audit_entries_kind", audit_entries.c.kind, audit_entries.c.at)
