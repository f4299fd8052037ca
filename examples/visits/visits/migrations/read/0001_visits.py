"""The table of visits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "visits_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "visits_visits",
        sa.Column("visit_id", sa.String(length=20), nullable=False),
        sa.Column("visitor", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("badge", sa.Integer(), nullable=True),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visits_visits")),
    )
    with op.batch_alter_table("visits_visits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visits_visits_day"), ["day"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("visits_visits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visits_visits_day"))

    op.drop_table("visits_visits")
