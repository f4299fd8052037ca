"""Files that are kept with orders."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0020"
down_revision: str | None = "write_0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "order_files",
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("attached_by", sa.String(length=100), nullable=True),
        sa.Column("attached_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_order_files")),
    )
    op.create_index("ix_order_files_order_id", "order_files", ["order_id", "number"])
    op.create_index("ix_order_files_subject", "order_files", ["subject"])
    stray = sa.column("number").is_(None)
    op.create_index(
        "ix_order_files_received_at",
        "order_files",
        ["received_at"],
        postgresql_where=stray,
        sqlite_where=stray,
    )


def downgrade() -> None:
    op.drop_table("order_files")
