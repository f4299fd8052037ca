"""Indexes for lists that were read from end to end."""

from collections.abc import Sequence

from alembic import op

revision: str = "read_0009"
down_revision: str | None = "read_0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_orders_country", "orders", ["country", "placed_at", "order_id"])
    op.create_index("ix_orders_currency", "orders", ["currency", "placed_at", "order_id"])
    op.create_index("ix_fulfilments_all", "fulfilments", ["since", "order_id"])


def downgrade() -> None:
    op.drop_index("ix_fulfilments_all", table_name="fulfilments")
    op.drop_index("ix_orders_currency", table_name="orders")
    op.drop_index("ix_orders_country", table_name="orders")
