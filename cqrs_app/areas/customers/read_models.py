"""The tables that the projection of customers writes, and nobody else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel import UtcDateTime, read_tables

_ID = String(60)

customer_profiles = Table(
    "customer_profiles",
    read_tables,
    Column("customer_id", _ID, primary_key=True),
    Column("status", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("country", String(60), nullable=False),
    Column("line1", String(200), nullable=False, server_default=""),
    Column("line2", String(200), nullable=False, server_default=""),
    Column("postal_code", String(30), nullable=False, server_default=""),
    Column("city", String(100), nullable=False, server_default=""),
    Column("merged_into", _ID, nullable=False, server_default=""),
    Column("search", Text, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index(
    "ix_customer_profiles_status",
    customer_profiles.c.status,
    customer_profiles.c.customer_id,
)
Index("ix_customer_profiles_name", customer_profiles.c.name, customer_profiles.c.customer_id)
Index(
    "ix_customer_profiles_registered_at",
    customer_profiles.c.registered_at,
    customer_profiles.c.customer_id,
)

customer_counts = Table(
    "customer_counts",
    read_tables,
    Column("status", String(20), primary_key=True),
    Column("customers", BigInteger, nullable=False),
)

# What happened to each customer; `detail` is a list of (name, text) pairs, as JSON.
customer_history = Table(
    "customer_history",
    read_tables,
    Column("customer_id", _ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("label", String(60), nullable=False),
    Column("detail", Text, nullable=False),
    Column("command_id", String(64), nullable=False),
)
