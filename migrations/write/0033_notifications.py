"""Notifications of operators."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0033"
down_revision: str | None = "write_0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_UNREAD = sa.text("read_at IS NULL")


def upgrade() -> None:
    time = columns.UtcDateTime(timezone=True)
    op.create_table(
        "notifications",
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("position", columns.BigKey, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("read_at", time, nullable=True),
        sa.PrimaryKeyConstraint("operator", "position", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["operator"],
        postgresql_where=_UNREAD,
        sqlite_where=_UNREAD,
    )
    op.create_index("ix_notifications_at", "notifications", ["at"])


def downgrade() -> None:
    op.drop_table("notifications")
