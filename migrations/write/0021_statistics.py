"""Statistics of the buses, which were in the read store and went with it. They begin anew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0021"
down_revision: str | None = "write_0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "bus_statistics",
        sa.Column("bus", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("minute", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("bound_ms", sa.Float(), nullable=False),
        sa.Column("count", columns.BigKey, nullable=False),
        sa.Column("total_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "bus", "name", "result", "minute", "bound_ms", name=op.f("pk_bus_statistics")
        ),
    )
    op.create_index("ix_bus_statistics_minute", "bus_statistics", ["minute"])


def downgrade() -> None:
    op.drop_table("bus_statistics")
