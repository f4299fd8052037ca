"""Which order an exchange order is for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0032"
down_revision: str | None = "read_0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("exchange_for", sa.String(length=60), nullable=False, server_default="")
    op.add_column("orders", column)
    given = sa.text("exchange_for != ''")
    op.create_index(
        "ix_orders_exchange_for",
        "orders",
        ["exchange_for", "placed_at", "order_id"],
        postgresql_where=given,
        sqlite_where=given,
    )


def downgrade() -> None:
    op.drop_index("ix_orders_exchange_for", "orders")
    op.drop_column("orders", "exchange_for")
