"""Batches: counts that are kept, what would follow, and why one is paused."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0032"
down_revision: str | None = "write_0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTED = """
INSERT INTO batch_counts (batch_id, foreseen, outcome, currency, total, amount)
SELECT batch_id, {foreseen}, coalesce(nullif({column}, ''), 'waiting'), currency, count(*),
    coalesce(sum(amount), 0)
FROM batch_items GROUP BY batch_id, {column}, currency
"""


def upgrade() -> None:
    op.create_table(
        "batch_counts",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("foreseen", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint(
            "batch_id", "foreseen", "outcome", "currency", name=op.f("pk_batch_counts")
        ),
    )
    for foreseen, column in (("true", "expected"), ("false", "outcome")):
        op.execute(COUNTED.format(foreseen=foreseen, column=column))
    op.create_table(
        "batch_effects",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "verb", "currency", name=op.f("pk_batch_effects")),
    )
    op.add_column(
        "batches", sa.Column("paused_because", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("batches", "paused_because")
    op.drop_table("batch_effects")
    op.drop_table("batch_counts")
