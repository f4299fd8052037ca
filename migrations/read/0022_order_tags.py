"""Tags of orders."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0022"
down_revision: str | None = "read_0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("tags", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "order_tags",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("tag", sa.String(length=30), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "tag"),
    )
    present = sa.column("present").is_(True)
    op.create_index(
        "ix_order_tags_tag",
        "order_tags",
        ["tag", "order_id"],
        postgresql_where=present,
        sqlite_where=present,
    )


def downgrade() -> None:
    op.drop_table("order_tags")
    op.drop_column("orders", "tags")
