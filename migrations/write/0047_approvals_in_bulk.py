"""Whom a request waits for, as columns, and the shape of what its row holds."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0047"
down_revision: str | None = "write_0046"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name in ("waiting", "given"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("approval_requests", column)
    # Of an earlier release: the row is made anew from its events once the console runs.
    shape = sa.Column("shape", sa.Integer(), nullable=False, server_default="0")
    op.add_column("approval_requests", shape)
    op.create_index("ix_approval_requests_shape", "approval_requests", ["shape"])


def downgrade() -> None:
    op.drop_index("ix_approval_requests_shape", "approval_requests")
    for name in ("shape", "given", "waiting"):
        op.drop_column("approval_requests", name)
