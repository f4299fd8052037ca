"""Seals of the log and the command log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0013"
down_revision: str | None = "write_0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FINAL = sa.text("outcome IN ('succeeded', 'refused')")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "seals",
        sa.Column("log", sa.String(length=10), nullable=False),
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("until", number, nullable=False),
        sa.Column("entries", number, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("log", "number", name=op.f("pk_seals")),
    )
    op.create_index(
        "ix_command_log_finished_at",
        "command_log",
        ["finished_at", "command_id"],
        postgresql_where=FINAL,
        sqlite_where=FINAL,
    )


def downgrade() -> None:
    op.drop_index("ix_command_log_finished_at", "command_log")
    op.drop_table("seals")
