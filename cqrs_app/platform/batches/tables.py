"""The write store's tables of batches."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

batches = Table(
    "batches",
    write_tables,
    Column("batch_id", String(36), primary_key=True),
    # Of a macro, the first that minds the version of what it is about.
    Column("command", String(100), nullable=False),
    # The fields that all items share, as JSON. Emptied with the items: see Items.forget_before.
    Column("fields", Text, nullable=False),
    # Where the items come from, in words: "12 selected".
    Column("source", Text, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("permissions", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # A BatchState; "frozen" until BatchCreated is in the log.
    Column("state", String(12), nullable=False),
    Column("total", Integer, nullable=False),
    # Whether items are "sending": they are finished whatever the state.
    Column("sending", Boolean, nullable=False),
    # A sentence, where a worker paused it; else empty.
    Column("paused_because", Text, nullable=False, server_default=""),
    # The name of a macro and its steps, each as in MacroSaved, one per line; both empty for one
    # command.
    Column("macro", String(40), nullable=False, server_default=""),
    Column("steps", Text, nullable=False, server_default=""),
    Column("lease_until", UtcDateTime),
    # Of the present run: a retry begins another one.
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
)
Index("ix_batches_created_at", batches.c.created_at, batches.c.batch_id)
Index("ix_batches_state", batches.c.state)
Index("ix_batches_finished_at", batches.c.finished_at)

batch_items = Table(
    "batch_items",
    write_tables,
    Column("batch_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # The identity of what the command is about, and the version that was seen of it.
    Column("subject", String(200), nullable=False),
    Column("version", Integer),
    Column("amount", Amount),
    Column("currency", String(3), nullable=False),
    # What the check foresees, an Outcome; empty until it is checked.
    Column("expected", String(12), nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("code", String(60), nullable=False),
    Column("sentence", Text, nullable=False),
    # Counts from 1; part of the command's id.
    Column("attempt", Integer, nullable=False),
    # The step that the outcome is about, counted from 1; it is sent again from there.
    Column("step", Integer, nullable=False, server_default="1"),
    Column("finished_at", UtcDateTime),
)
Index(
    "ix_batch_items_outcome",
    batch_items.c.batch_id,
    batch_items.c.outcome,
    batch_items.c.number,
)
Index(
    "ix_batch_items_expected",
    batch_items.c.batch_id,
    batch_items.c.expected,
    batch_items.c.number,
)

# Of items by outcome: how many, and what they are worth. `foreseen`: by what the check expects.
batch_counts = Table(
    "batch_counts",
    write_tables,
    Column("batch_id", String(36), primary_key=True),
    Column("foreseen", Boolean, primary_key=True),
    Column("outcome", String(12), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("total", Integer, nullable=False),
    Column("amount", Amount, nullable=False),
)

# What would follow from the items that the check previewed; units where there is no
# currency: see Quantity.
batch_effects = Table(
    "batch_effects",
    write_tables,
    Column("batch_id", String(36), primary_key=True),
    Column("verb", String(60), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("items", Integer, nullable=False),
    Column("amount", Amount, nullable=False),
)
