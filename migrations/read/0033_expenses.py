"""Expense claims and their steps."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0033"
down_revision: str | None = "read_0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "expense_claims",
        sa.Column("claim_id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("claimant", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("budget", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.Column("paid", columns.Amount(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("stages", sa.String(length=100), nullable=False),
        sa.Column("signed", sa.String(length=100), nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("since", columns.UtcDateTime(), nullable=False),
        sa.Column("last_step", sa.String(length=40), nullable=False),
        sa.Column("last_at", columns.UtcDateTime(), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_expense_claims")),
    )
    op.create_index("ix_expense_claims_amount", "expense_claims", ["amount", "claim_id"])
    op.create_index("ix_expense_claims_claimant", "expense_claims", ["claimant", "started_at"])
    op.create_index("ix_expense_claims_flags", "expense_claims", ["flags", "started_at"])
    op.create_index("ix_expense_claims_open", "expense_claims", ["is_open", "started_at"])
    op.create_index("ix_expense_claims_started_at", "expense_claims", ["started_at", "claim_id"])
    op.create_index("ix_expense_claims_status", "expense_claims", ["status", "stage", "started_at"])

    op.create_table(
        "expense_steps",
        sa.Column("claim_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("performer", sa.String(length=200), nullable=False),
        sa.Column("activity", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("previous", sa.String(length=40), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("claim_id", "version", name=op.f("pk_expense_steps")),
    )
    op.create_index("ix_expense_steps_step", "expense_steps", ["step", "previous"])


def downgrade() -> None:
    op.drop_table("expense_steps")
    op.drop_table("expense_claims")
