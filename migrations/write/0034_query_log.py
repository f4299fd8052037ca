"""A sample of the questions asked."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0034"
down_revision: str | None = "write_0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "query_log",
        sa.Column("id", columns.BigKey, autoincrement=True, nullable=False),
        sa.Column("asked_at", columns.UtcDateTime(), nullable=False),
        sa.Column("query", sa.String(100), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query_log")),
    )


def downgrade() -> None:
    op.drop_table("query_log")
