"""The tables that the projection of expense claims writes, and nothing else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel import Amount, UtcDateTime, read_tables

_ID = String(60)
_NAME = String(200)

expense_claims = Table(
    "expense_claims",
    read_tables,
    Column("claim_id", _ID, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("claimant", _NAME, nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("budget", _ID, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", Amount, nullable=False),
    Column("paid", Amount, nullable=False),
    Column("status", String(20), nullable=False),
    # Somebody has to act before it is over.
    Column("is_open", Boolean, nullable=False),
    # The stage that signs next, and those that are needed and have signed, with blanks between.
    Column("stage", String(20), nullable=False),
    Column("stages", String(100), nullable=False),
    Column("signed", String(100), nullable=False),
    Column("submissions", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # Since when it has had this status and stage.
    Column("since", UtcDateTime, nullable=False),
    # The last step but notes, and when it was.
    Column("last_step", String(40), nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_expense_claims_started_at", expense_claims.c.started_at, expense_claims.c.claim_id)
Index("ix_expense_claims_amount", expense_claims.c.amount, expense_claims.c.claim_id)
Index(
    "ix_expense_claims_status",
    expense_claims.c.status,
    expense_claims.c.stage,
    expense_claims.c.started_at,
)
Index("ix_expense_claims_claimant", expense_claims.c.claimant, expense_claims.c.started_at)
Index("ix_expense_claims_open", expense_claims.c.is_open, expense_claims.c.started_at)
Index("ix_expense_claims_flags", expense_claims.c.flags, expense_claims.c.started_at)

# What happened to each claim.
expense_steps = Table(
    "expense_steps",
    read_tables,
    Column("claim_id", _ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("type", String(100), nullable=False),
    Column("label", String(60), nullable=False),
    Column("performer", _NAME, nullable=False),
    # What the source of imported history calls it.
    Column("activity", String(200), nullable=False),
    Column("text", Text, nullable=False),
    # The code of a flag, with the task.
    Column("code", String(100), nullable=False),
    # The step, the one before it, and the seconds between them; empty for notes and flags.
    Column("step", String(40), nullable=False),
    Column("previous", String(40), nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("command_id", String(64), nullable=False),
)
Index("ix_expense_steps_step", expense_steps.c.step, expense_steps.c.previous)
