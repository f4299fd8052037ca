"""Failures, grouped by cause; parked events name theirs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0023"
down_revision: str | None = "write_0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("failure_id", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("error", sa.String(100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("code", sa.String(300), nullable=False),
        sa.Column("count", columns.BigKey, nullable=False),
        sa.Column("first_seen", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("first_release", sa.String(40), nullable=False),
        sa.Column("last_release", sa.String(40), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("resolved_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ignored_until", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("regressed_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("regressed_in", sa.String(40), nullable=True),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_failures")),
    )
    op.create_index("ix_failures_last_seen", "failures", ["last_seen"])
    unresolved = sa.column("state") != "resolved"
    op.create_index(
        "ix_failures_unresolved",
        "failures",
        ["kind"],
        postgresql_where=unresolved,
        sqlite_where=unresolved,
    )
    op.create_table(
        "failure_occurrences",
        sa.Column("id", columns.BigKey, autoincrement=True, nullable=False),
        sa.Column("failure_id", sa.String(12), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("release", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_occurrences")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_failure_occurrences_failure_id", "failure_occurrences", ["failure_id", "id"]
    )
    op.create_table(
        "failure_hours",
        sa.Column("failure_id", sa.String(12), nullable=False),
        sa.Column("hour", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("failure_id", "hour", name=op.f("pk_failure_hours")),
    )
    _add_cause("subscription_parked")


def downgrade() -> None:
    _drop_cause("subscription_parked")
    op.drop_table("failure_hours")
    op.drop_table("failure_occurrences")
    op.drop_table("failures")


def _add_cause(table: str) -> None:
    op.add_column(table, sa.Column("cause", sa.String(12), nullable=True))
    counted = sa.column("cause").is_not(None)
    op.create_index(
        f"ix_{table}_cause", table, ["cause"], postgresql_where=counted, sqlite_where=counted
    )
    uncounted = sa.column("cause").is_(None) & sa.column("culprit", sa.Boolean())
    op.create_index(
        f"ix_{table}_uncounted",
        table,
        ["position"],
        postgresql_where=uncounted,
        sqlite_where=uncounted,
    )


def _drop_cause(table: str) -> None:
    op.drop_index(f"ix_{table}_uncounted", table)
    op.drop_index(f"ix_{table}_cause", table)
    op.drop_column(table, "cause")
