"""Where the log ended when a cursor was created."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0030"
down_revision: str | None = "read_0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    since = sa.Column("since", columns.BigKey, nullable=False, server_default="0")
    op.add_column("checkpoints", since)


def downgrade() -> None:
    op.drop_column("checkpoints", "since")
