"""When to remind whoever can sign a request."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0043"
down_revision: str | None = "write_0042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    remind_at = sa.Column("remind_at", columns.UtcDateTime(timezone=True), nullable=True)
    op.add_column("approval_requests", remind_at)
    op.create_index("ix_approval_requests_remind_at", "approval_requests", ["remind_at"])


def downgrade() -> None:
    op.drop_index("ix_approval_requests_remind_at", "approval_requests")
    op.drop_column("approval_requests", "remind_at")
