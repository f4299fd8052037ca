"""How many units of an order's line were cancelled after the rest had shipped."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0014"
down_revision: str | None = "read_0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    cancelled = sa.Column("cancelled_quantity", sa.Integer(), nullable=False, server_default="0")
    op.add_column("order_lines", cancelled)


def downgrade() -> None:
    op.drop_column("order_lines", "cancelled_quantity")
