"""Payments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0005"
down_revision: str | None = "read_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("payment_id", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("position", "account", name=op.f("pk_ledger_entries")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entries_account", ["account", "currency", "amount"], unique=False
        )
        batch_op.create_index("ix_ledger_entries_payment_id", ["payment_id"], unique=False)

    op.create_table(
        "payment_timeline",
        sa.Column("payment_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", "version", name=op.f("pk_payment_timeline")),
    )
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("authorised", columns.Amount(), nullable=False),
        sa.Column("captured", columns.Amount(), nullable=False),
        sa.Column("refunded", columns.Amount(), nullable=False),
        sa.Column("disputed", columns.Amount(), nullable=False),
        sa.Column("lost", columns.Amount(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.Column("declined", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("uncaptured", columns.Amount(), nullable=False),
        sa.Column("unsettled", sa.Boolean(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index("ix_payments_disputed", ["disputed"], unique=False)
        batch_op.create_index("ix_payments_order_id", ["order_id", "started_at"], unique=False)
        batch_op.create_index("ix_payments_started_at", ["started_at", "payment_id"], unique=False)
        batch_op.create_index("ix_payments_status", ["status", "started_at"], unique=False)
        batch_op.create_index("ix_payments_unsettled", ["unsettled", "started_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index("ix_payments_unsettled")
        batch_op.drop_index("ix_payments_status")
        batch_op.drop_index("ix_payments_started_at")
        batch_op.drop_index("ix_payments_order_id")
        batch_op.drop_index("ix_payments_disputed")

    op.drop_table("payments")
    op.drop_table("payment_timeline")
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entries_payment_id")
        batch_op.drop_index("ix_ledger_entries_account")

    op.drop_table("ledger_entries")
