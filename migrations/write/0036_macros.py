"""Batches whose items are several commands."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0036"
down_revision: str | None = "write_0035"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("batches") as batch:
        batch.add_column(sa.Column("macro", sa.String(40), nullable=False, server_default=""))
        batch.add_column(sa.Column("steps", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("batch_items") as batch:
        batch.add_column(sa.Column("step", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    with op.batch_alter_table("batch_items") as batch:
        batch.drop_column("step")
    with op.batch_alter_table("batches") as batch:
        batch.drop_column("steps")
        batch.drop_column("macro")
