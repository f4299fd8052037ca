"""The write store's tables of who works on which order now. Losing them loses no record."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

_ID, _OPERATOR = String(60), String(100)

order_claims = Table(
    "order_claims",
    write_tables,
    Column("order_id", _ID, primary_key=True),
    Column("operator", _OPERATOR, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
)
Index("ix_order_claims_lease_until", order_claims.c.lease_until)

# Who has an order open.
order_presence = Table(
    "order_presence",
    write_tables,
    Column("order_id", _ID, primary_key=True),
    Column("operator", _OPERATOR, primary_key=True),
    Column("lease_until", UtcDateTime, nullable=False),
)
Index("ix_order_presence_lease_until", order_presence.c.lease_until)

# The reasons are in the log: see OrderSkipped.
queue_skips = Table(
    "queue_skips",
    write_tables,
    Column("operator", _OPERATOR, primary_key=True),
    Column("order_id", _ID, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)
Index("ix_queue_skips_until", queue_skips.c.until)

# The list that an operator works at, and how long orders took.
queue_runs = Table(
    "queue_runs",
    write_tables,
    Column("operator", _OPERATOR, primary_key=True),
    Column("list", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("handled", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
)
