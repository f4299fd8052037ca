"""Scheduled exports and their files."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store.columns import UtcDateTime

revision: str = "write_0051"
down_revision: str | None = "write_0050"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "export_schedules",
        sa.Column("schedule", sa.String(60), primary_key=True),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("list", sa.String(40), nullable=False),
        sa.Column("view", sa.String(40), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("days", sa.String(20), nullable=False),
        sa.Column("at", sa.String(5), nullable=False),
        sa.Column("webhook_id", sa.String(40), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime()),
        sa.Column("file_id", sa.String(36)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime()),
        sa.Column("sentence", sa.Text(), nullable=False),
    )
    op.create_index("ix_export_schedules_next_at", "export_schedules", ["next_at"])
    op.create_table(
        "export_files",
        sa.Column("file_id", sa.String(36), primary_key=True),
        sa.Column("schedule", sa.String(60), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("list", sa.String(40), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
    )
    op.create_index("ix_export_files_made_at", "export_files", ["made_at"])
    op.create_index("ix_export_files_owner", "export_files", ["owner", "made_at"])
    op.create_index("ix_export_files_schedule", "export_files", ["schedule", "made_at"])
    op.create_table(
        "export_chunks",
        sa.Column("file_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("export_chunks")
    op.drop_table("export_files")
    op.drop_table("export_schedules")
