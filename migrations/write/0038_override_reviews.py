"""When an override of an approval has to be reviewed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0038"
down_revision: str | None = "write_0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_UNREVIEWED = sa.text("review_due IS NOT NULL")


def upgrade() -> None:
    due = sa.Column("review_due", columns.UtcDateTime(timezone=True), nullable=True)
    op.add_column("approval_requests", due)
    op.create_index(
        "ix_approval_requests_review_due",
        "approval_requests",
        ["review_due"],
        postgresql_where=_UNREVIEWED,
        sqlite_where=_UNREVIEWED,
    )


def downgrade() -> None:
    op.drop_index("ix_approval_requests_review_due", "approval_requests")
    op.drop_column("approval_requests", "review_due")
