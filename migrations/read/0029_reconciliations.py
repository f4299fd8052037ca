"""The last comparisons of read models with their digests and their events."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0029"
down_revision: str | None = "read_0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("projection", sa.String(60), nullable=False),
        sa.Column("compared_at", columns.UtcDateTime(), nullable=True),
        sa.Column("rows", columns.BigKey, nullable=False, server_default="0"),
        sa.Column("drifted", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("proven_at", columns.UtcDateTime(), nullable=True),
        sa.Column("proven_position", columns.BigKey, nullable=True),
        sa.Column("differences", columns.BigKey, nullable=False, server_default="0"),
        sa.Column("samples", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.Column("repair", sa.Text(), nullable=True),
        sa.Column("repaired", columns.BigKey, nullable=False, server_default="0"),
        sa.Column("repaired_at", columns.UtcDateTime(), nullable=True),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("projection", name=op.f("pk_reconciliations")),
    )


def downgrade() -> None:
    op.drop_table("reconciliations")
