"""One notification for all items of a batch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0037"
down_revision: str | None = "write_0036"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEX = "ix_notifications_batch"


def upgrade() -> None:
    op.add_column("notifications", sa.Column("batch_id", sa.String(36)))
    op.create_index(_INDEX, "notifications", ["operator", "kind", "batch_id"], unique=True)


def downgrade() -> None:
    op.drop_index(_INDEX, "notifications")
    op.drop_column("notifications", "batch_id")
