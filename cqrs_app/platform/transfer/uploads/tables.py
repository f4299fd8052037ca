"""The write store's tables for uploaded files."""

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
    false,
)

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

imports = Table(
    "imports",
    write_tables,
    Column("import_id", String(36), primary_key=True),
    Column("profile", String(60), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_by", String(100), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    # receiving, waiting, running, done, failed
    Column("state", String(12), nullable=False),
    # Counts of documents, which are orders, credit notes and the like.
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    # Counts the attempts: only the process of the last one may still write.
    Column("attempts", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    # Of this attempt, and of the first one.
    Column("started_at", UtcDateTime),
    Column("first_started_at", UtcDateTime),
    # When this attempt had read the file and began with its documents.
    Column("read_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("sentence", Text),
    Column("report", Text),
    Column("set_aside", Integer, nullable=False),
    # Which column is which field, as JSON; empty where the profile says how the file is read.
    Column("mapping", Text, nullable=False, server_default=""),
    Column("rehearsal", Boolean, nullable=False, server_default=false()),
)
Index("ix_imports_uploaded_at", imports.c.uploaded_at, imports.c.import_id)
Index("ix_imports_state", imports.c.state)

import_chunks = Table(
    "import_chunks",
    write_tables,
    Column("import_id", String(36), primary_key=True),
    # upload: the file as received; set_aside: the rows that were not imported, as CSV
    Column("kind", String(10), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
