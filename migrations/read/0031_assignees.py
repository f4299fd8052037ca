"""Who is responsible for an order."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0031"
down_revision: str | None = "read_0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ADDED = ("assignee", "team")


def upgrade() -> None:
    for name in _ADDED:
        column = sa.Column(name, sa.String(length=40), nullable=False, server_default="")
        op.add_column("orders", column)
        given = sa.text(f"{name} != ''")
        op.create_index(
            f"ix_orders_{name}",
            "orders",
            [name, "placed_at", "order_id"],
            postgresql_where=given,
            sqlite_where=given,
        )


def downgrade() -> None:
    for name in _ADDED:
        op.drop_index(f"ix_orders_{name}", "orders")
        op.drop_column("orders", name)
