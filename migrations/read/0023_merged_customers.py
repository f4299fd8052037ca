"""Customers who were merged into others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0023"
down_revision: str | None = "read_0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WITH = ("customer_profiles", "customer_accounts")
_OF_MERGED = ("orders_of_merged", "accounts_of_merged", "sales_of_merged")


def upgrade() -> None:
    for table in _WITH:
        into = sa.Column("merged_into", sa.String(length=60), nullable=False, server_default="")
        op.add_column(table, into)
    for table in _OF_MERGED:
        op.create_table(
            table,
            sa.Column("customer_id", sa.String(length=60), nullable=False),
            sa.Column("into", sa.String(length=60), nullable=False),
            sa.PrimaryKeyConstraint("customer_id"),
        )


def downgrade() -> None:
    for table in _OF_MERGED:
        op.drop_table(table)
    for table in _WITH:
        op.drop_column(table, "merged_into")
