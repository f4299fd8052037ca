"""Imported history apart from the orders that wait for somebody."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0013"
down_revision: str | None = "read_0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    waiting = sa.column("imported").is_(False)
    op.create_index(
        "ix_orders_waiting",
        "orders",
        ["status", "placed_at", "order_id"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.add_column(
        "order_days", sa.Column("imported", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "order_days",
        sa.Column("imported_value", columns.Amount(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    op.drop_column("order_days", "imported_value")
    op.drop_column("order_days", "imported")
    op.drop_index("ix_orders_waiting", table_name="orders")
    op.drop_column("orders", "imported")
