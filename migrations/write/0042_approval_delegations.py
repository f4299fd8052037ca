"""Who signs for whom, and until when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0042"
down_revision: str | None = "write_0041"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "approval_delegations",
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("delegate", sa.String(length=40), nullable=False),
        sa.Column("until", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_approval_delegations")),
    )


def downgrade() -> None:
    op.drop_table("approval_delegations")
