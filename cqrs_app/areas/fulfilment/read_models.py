"""The tables that fulfilment's projection writes, and nobody else."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import read

fulfilments = Table(
    "fulfilments",
    read,
    Column("order_id", String(60), primary_key=True),
    Column("stage", String(20), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    # Since when it stands there, and until when it may.
    Column("since", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_fulfilments_since", fulfilments.c.over, fulfilments.c.since, fulfilments.c.order_id)
Index("ix_fulfilments_all", fulfilments.c.since, fulfilments.c.order_id)
Index("ix_fulfilments_stage", fulfilments.c.stage, fulfilments.c.since, fulfilments.c.order_id)

fulfilment_steps = Table(
    "fulfilment_steps",
    read,
    Column("order_id", String(60), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("what", Text, nullable=False),
    Column("text", Text, nullable=False),
    # A task's: sent, done, refused or failed; and when it ended.
    Column("outcome", String(10), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("command_id", String(64), nullable=False),
)

# Which step sent which task, so that its end finds it.
fulfilment_tasks = Table(
    "fulfilment_tasks",
    read,
    Column("order_id", String(60), primary_key=True),
    Column("task_no", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
