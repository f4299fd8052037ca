"""Cursors of subscriptions, with the hash of the last event taken in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0010"
down_revision: str | None = "read_0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for table in ("checkpoints", "parked_events"):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN projection TO subscription")
    op.add_column("checkpoints", sa.Column("hash", sa.LargeBinary(length=32)))


def downgrade() -> None:
    op.drop_column("checkpoints", "hash")
    for table in ("checkpoints", "parked_events"):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN subscription TO projection")
