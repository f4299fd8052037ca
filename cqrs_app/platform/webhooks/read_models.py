"""The tables of this area's projection."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import read_tables

webhooks = Table(
    "webhooks",
    read_tables,
    Column("webhook_id", String(40), primary_key=True),
    Column("url", String(500), nullable=False),
    # A JSON list; empty for all.
    Column("event_types", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("pause_reason", Text, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
