"""The write store's tables for scheduled exports and their files."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

export_schedules = Table(
    "export_schedules",
    write_tables,
    Column("schedule", String(60), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("list", String(40), nullable=False),
    Column("view", String(40), nullable=False),
    Column("format", String(20), nullable=False),
    Column("days", String(20), nullable=False),
    Column("at", String(5), nullable=False),
    Column("webhook_id", String(40), nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    # The file that waits to be sent, and how often that failed.
    Column("file_id", String(36)),
    Column("failures", Integer, nullable=False),
    # The last attempt, and why it failed; empty if it did not.
    Column("last_at", UtcDateTime),
    Column("sentence", Text, nullable=False),
)
Index("ix_export_schedules_next_at", export_schedules.c.next_at)

export_files = Table(
    "export_files",
    write_tables,
    Column("file_id", String(36), primary_key=True),
    Column("schedule", String(60), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("list", String(40), nullable=False),
    Column("format", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    # Whether all its chunks are there.
    Column("whole", Boolean, nullable=False),
    Column("sent_at", UtcDateTime),
)
Index("ix_export_files_made_at", export_files.c.made_at)
Index("ix_export_files_owner", export_files.c.owner, export_files.c.made_at)
Index("ix_export_files_schedule", export_files.c.schedule, export_files.c.made_at)

export_chunks = Table(
    "export_chunks",
    write_tables,
    Column("file_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
