"""Flags of imported orders."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0003"
down_revision: str | None = "read_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FLAGGED = sa.text("flags > 0")


def upgrade() -> None:
    op.create_table(
        "order_flags",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_order_flags")),
    )
    # No order of an earlier release has a flag, so nothing needs to be rebuilt.
    op.add_column("orders", sa.Column("flags", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "ix_orders_flagged",
        "orders",
        ["placed_at", "order_id"],
        postgresql_where=_FLAGGED,
        sqlite_where=_FLAGGED,
    )


def downgrade() -> None:
    op.drop_index("ix_orders_flagged", table_name="orders")
    op.drop_column("orders", "flags")
    op.drop_table("order_flags")
