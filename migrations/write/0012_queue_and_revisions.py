"""The order in which queued commands were accepted; revisions of cursors."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0012"
down_revision: str | None = "write_0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

QUEUED = sa.text("queue_number IS NOT NULL")
UNFINISHED = sa.text("outcome IN ('queued', 'running')")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column(
        "subscription_cursors", sa.Column("revision", number, nullable=False, server_default="0")
    )
    op.add_column("command_log", sa.Column("queue_number", number))
    op.create_index(
        "ix_command_log_queue_number",
        "command_log",
        ["queue_number"],
        postgresql_where=QUEUED,
        sqlite_where=QUEUED,
    )
    op.create_index(
        "ix_command_log_unfinished",
        "command_log",
        ["stream", "queue_number"],
        postgresql_where=UNFINISHED,
        sqlite_where=UNFINISHED,
    )


def downgrade() -> None:
    op.drop_index("ix_command_log_unfinished", "command_log")
    op.drop_index("ix_command_log_queue_number", "command_log")
    op.drop_column("command_log", "queue_number")
    op.drop_column("subscription_cursors", "revision")
