"""Fulfilment's tables: its state in the write store, beside its events, and its read model."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel import BigKey, UtcDateTime, read_tables, write_tables

fulfilment_processes = Table(
    "fulfilment_processes",
    write_tables,
    Column("order_id", String(60), primary_key=True),
    # FulfilmentProcess as JSON. Empty: the events hold everything, as before there were rows.
    Column("state", Text),
    # The version of the order's own stream that the state includes.
    Column("version", Integer, nullable=False),
    # When the present wait becomes late.
    Column("due_at", UtcDateTime),
)
Index("ix_fulfilment_processes_due_at", fulfilment_processes.c.due_at)

# Commands without an outcome yet, in the order in which they are dispatched.
fulfilment_outbox = Table(
    "fulfilment_outbox",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("order_id", String(60), nullable=False),
    Column("step", Integer, nullable=False),
    Column("type", String(100), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("command_id", String(64), nullable=False, unique=True),
    Column("correlation_id", String(64), nullable=False),
    Column("causation_id", String(64)),
)

# What happened to each order, for people to read.
fulfilment_history = Table(
    "fulfilment_history",
    write_tables,
    Column("order_id", String(60), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("what", Text, nullable=False),
    Column("text", Text, nullable=False),
    # A command's: sent, done, refused or failed; and when it ended.
    Column("outcome", String(10), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("command_id", String(64), nullable=False),
)

# Which orders wait for which product.
fulfilment_wants = Table(
    "fulfilment_wants",
    write_tables,
    Column("sku", String(60), primary_key=True),
    Column("order_id", String(60), primary_key=True),
    # The position in the log at which it began to wait: the oldest is served first.
    Column("position", BigKey, nullable=False),
)
Index("ix_fulfilment_wants_order_id", fulfilment_wants.c.order_id)

fulfilments = Table(
    "fulfilments",
    read_tables,
    Column("order_id", String(60), primary_key=True),
    Column("stage", String(20), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    # Since when it is at this stage, and until when it may be.
    Column("since", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_fulfilments_since", fulfilments.c.over, fulfilments.c.since, fulfilments.c.order_id)
Index("ix_fulfilments_all", fulfilments.c.since, fulfilments.c.order_id)
Index("ix_fulfilments_stage", fulfilments.c.stage, fulfilments.c.since, fulfilments.c.order_id)
