"""Requests for approval, and the outcome of the commands that became one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0030"
down_revision: str | None = "write_0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FINAL = sa.text("outcome IN ('succeeded', 'refused', 'requested')")
_FINAL_BEFORE = sa.text("outcome IN ('succeeded', 'refused')")
_INDEXES = {
    "state": ["state", "asked_at", "request_id"],
    "asked_at": ["asked_at", "request_id"],
    "asker": ["asker", "asked_at"],
    "stream": ["stream", "state"],
    "due": ["due"],
    "person": ["person"],
}


def upgrade() -> None:
    time = columns.UtcDateTime(timezone=True)
    op.create_table(
        "approval_requests",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("command", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asker", sa.String(length=100), nullable=False),
        sa.Column("asked_at", time, nullable=False),
        sa.Column("changed_at", time, nullable=False),
        sa.Column("due", time, nullable=True),
        sa.Column("amount", columns.Amount(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("lease_until", time, nullable=True),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_approval_requests")),
    )
    for name, listed in _INDEXES.items():
        op.create_index(f"ix_approval_requests_{name}", "approval_requests", listed)
    _sealed(_FINAL)


def downgrade() -> None:
    _sealed(_FINAL_BEFORE)
    op.drop_table("approval_requests")


def _sealed(final: sa.TextClause) -> None:
    """The index by which final commands are sealed."""
    op.drop_index("ix_command_log_finished_at", "command_log")
    op.create_index(
        "ix_command_log_finished_at",
        "command_log",
        ["finished_at", "command_id"],
        postgresql_where=final,
        sqlite_where=final,
    )
