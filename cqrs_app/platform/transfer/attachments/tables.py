"""The write store's table for files that are attached to orders."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

order_files = Table(
    "order_files",
    write_tables,
    Column("file_id", String(36), primary_key=True),
    Column("order_id", String(60), nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # From FileAttached; none until then. `subject` is the person whose data the file is.
    Column("number", Integer),
    Column("attached_by", String(100)),
    Column("attached_at", UtcDateTime),
    Column("subject", String(200)),
    # Last, so that the others are read without it.
    Column("content", LargeBinary, nullable=False),
)
Index("ix_order_files_order_id", order_files.c.order_id, order_files.c.number)
Index("ix_order_files_subject", order_files.c.subject)
_stray = order_files.c.number.is_(None)
Index(
    "ix_order_files_received_at",
    order_files.c.received_at,
    postgresql_where=_stray,
    sqlite_where=_stray,
)
