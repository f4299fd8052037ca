"""The tables of trading."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "trading_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "trading_accounts",
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("funds", columns.Amount(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_trading_accounts")),
    )
    op.create_table(
        "trading_instruments",
        sa.Column("symbol", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_trading_instruments")),
    )
    op.create_table(
        "trading_positions",
        sa.Column("position", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("symbol", sa.String(length=12), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("cost", columns.Amount(), nullable=False),
        sa.Column("realised", columns.Amount(), nullable=False),
        sa.Column("last_trade_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_trading_positions")),
    )
    with op.batch_alter_table("trading_positions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_trading_positions_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "trading_quotes",
        sa.Column("symbol", sa.String(length=12), nullable=False),
        sa.Column("price", columns.Amount(), nullable=False),
        sa.Column("quoted_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_trading_quotes")),
    )


def downgrade() -> None:
    op.drop_table("trading_quotes")
    with op.batch_alter_table("trading_positions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trading_positions_account_id"))

    op.drop_table("trading_positions")
    op.drop_table("trading_instruments")
    op.drop_table("trading_accounts")
