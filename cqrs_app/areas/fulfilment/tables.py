"""What the write store holds so that every order's way goes on: how far the log was followed, what
is due when, and which orders would be glad of which product."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import write

# One row: the last event of the log that was reacted to.
fulfilment_cursor = Table(
    "fulfilment_cursor",
    write,
    Column("name", String(20), primary_key=True),
    Column("position", BigKey, nullable=False),
)

# At most one row per order: the wait it is in.
fulfilment_deadlines = Table(
    "fulfilment_deadlines",
    write,
    Column("order_id", String(60), primary_key=True),
    Column("move_no", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
)
Index("ix_fulfilment_deadlines_due_at", fulfilment_deadlines.c.due_at)

fulfilment_wants = Table(
    "fulfilment_wants",
    write,
    Column("sku", String(60), primary_key=True),
    Column("order_id", String(60), primary_key=True),
    # Where in the log it began to want it: the oldest is served first.
    Column("position", BigKey, nullable=False),
)
Index("ix_fulfilment_wants_order_id", fulfilment_wants.c.order_id)
