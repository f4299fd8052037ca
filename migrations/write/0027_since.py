"""Where the log ended when a cursor was created."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0027"
down_revision: str | None = "write_0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    since = sa.Column("since", columns.BigKey, nullable=False, server_default="0")
    op.add_column("subscription_cursors", since)


def downgrade() -> None:
    op.drop_column("subscription_cursors", "since")
