"""What one unit of a product costs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0018"
down_revision: str | None = "read_0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    prices = sa.Column("prices", sa.Text(), nullable=False, server_default="")
    op.add_column("products", prices)


def downgrade() -> None:
    op.drop_column("products", "prices")
