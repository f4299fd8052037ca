"""Second generations of projections. On SQLite, the search index keeps no text of its own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.areas.desk.search import create_search, drop_search
from cqrs_app.kernel.store import columns

revision: str = "read_0028"
down_revision: str | None = "read_0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "projection_generations",
        sa.Column("projection", sa.String(60), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("busy_seconds", sa.Float(), nullable=False),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("built_at", columns.UtcDateTime(), nullable=True),
        sa.Column("comparing", sa.Boolean(), nullable=False),
        sa.Column("compared_at", columns.UtcDateTime(), nullable=True),
        sa.Column("compared_position", columns.BigKey, nullable=True),
        sa.Column("compared_rows", columns.BigKey, nullable=True),
        sa.Column("differences", columns.BigKey, nullable=True),
        sa.Column("digest_gap", sa.String(60), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("swapped_at", columns.UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("projection", name=op.f("pk_projection_generations")),
    )
    if op.get_bind().dialect.name == "sqlite":
        drop_search(op.get_bind())
        create_search(op.get_bind())


def downgrade() -> None:
    op.drop_table("projection_generations")
