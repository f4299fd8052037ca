"""Statistics are in the write store."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0025"
down_revision: str | None = "read_0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_table("statistics")


def downgrade() -> None:
    op.create_table(
        "statistics",
        sa.Column("bus", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("minute", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("bound_ms", sa.Float(), nullable=False),
        sa.Column("count", columns.BigKey, nullable=False),
        sa.Column("total_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "bus", "name", "result", "minute", "bound_ms", name=op.f("pk_statistics")
        ),
    )
    op.create_index("ix_statistics_minute", "statistics", ["minute"])
