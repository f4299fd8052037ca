"""The mapping of an import, and dry runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0040"
down_revision: str | None = "write_0039"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("mapping", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "imports", sa.Column("rehearsal", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("imports") as table:
        table.drop_column("rehearsal")
        table.drop_column("mapping")
