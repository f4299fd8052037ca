"""The tables written by the payments' projections, and by nothing else."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel import Amount, BigKey, UtcDateTime, read_tables

_ID = String(60)

payments = Table(
    "payments",
    read_tables,
    Column("payment_id", _ID, primary_key=True),
    Column("order_id", _ID, nullable=False),
    Column("gateway", String(20), nullable=False),
    Column("method", String(100), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", Amount, nullable=False),
    Column("status", String(20), nullable=False),
    Column("authorised", Amount, nullable=False),
    Column("captured", Amount, nullable=False),
    Column("refunded", Amount, nullable=False),
    # In disputes that are not settled, and lost in those that are.
    Column("disputed", Amount, nullable=False),
    Column("lost", Amount, nullable=False),
    Column("voided", Boolean, nullable=False),
    Column("declined", Boolean, nullable=False),
    # Requests without an answer, and answers to review.
    Column("waiting", Integer, nullable=False),
    Column("flagged", Integer, nullable=False),
    # Authorised and neither captured nor voided.
    Column("uncaptured", Amount, nullable=False),
    # Something is still pending: see queries/lists.py.
    Column("unsettled", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_payments_started_at", payments.c.started_at, payments.c.payment_id)
Index("ix_payments_order_id", payments.c.order_id, payments.c.started_at)
Index("ix_payments_unsettled", payments.c.unsettled, payments.c.started_at)
Index("ix_payments_disputed", payments.c.disputed)
Index("ix_payments_status", payments.c.status, payments.c.started_at)

payment_timeline = Table(
    "payment_timeline",
    read_tables,
    Column("payment_id", _ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("label", String(60), nullable=False),
    Column("amount", Amount),
    Column("currency", String(3), nullable=False),
    Column("text", Text, nullable=False),
    Column("command_id", String(64), nullable=False),
)

# Two rows per movement of money, which add up to zero.
ledger_entries = Table(
    "ledger_entries",
    read_tables,
    # The position of the event that moved it.
    Column("position", BigKey, primary_key=True, autoincrement=False),
    Column("account", String(20), primary_key=True),
    Column("payment_id", _ID, nullable=False),
    Column("order_id", _ID, nullable=False),
    Column("what", String(60), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount", Amount, nullable=False),
)
Index(
    "ix_ledger_entries_account",
    ledger_entries.c.account,
    ledger_entries.c.currency,
    ledger_entries.c.amount,
)
Index("ix_ledger_entries_payment_id", ledger_entries.c.payment_id)
