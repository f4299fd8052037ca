"""Alerts: rules, pending problems, alerts with their history, and notices of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0026"
down_revision: str | None = "write_0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    time = columns.UtcDateTime(timezone=True)
    op.create_table(
        "alert_rules",
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("raise_at", sa.Integer(), nullable=False),
        sa.Column("clear_at", sa.Integer(), nullable=False),
        sa.Column("pending_seconds", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alert_conditions",
        sa.Column("alert_id", sa.String(length=160), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cost", sa.Text(), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("raised", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert_conditions")),
    )
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(length=160), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cost", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", time, nullable=False),
        sa.Column("raised_at", time, nullable=False),
        sa.Column("acknowledged_at", time, nullable=True),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=False),
        sa.Column("resolved_at", time, nullable=True),
        sa.Column("silenced_until", time, nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_state", "alerts", ["state", "raised_at"])
    op.create_table(
        "alert_entries",
        sa.Column("position", columns.BigKey, autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.String(length=160), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_alert_entries")),
    )
    op.create_index("ix_alert_entries_alert_id", "alert_entries", ["alert_id", "position"])
    op.create_table(
        "alert_notices",
        sa.Column("id", columns.BigKey, autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.String(length=160), nullable=False),
        sa.Column("position", columns.BigKey, nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("next_attempt_at", time, nullable=False),
        sa.Column("sent_at", time, nullable=True),
        sa.Column("taken_until", time, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_notices_alert_id", "alert_notices", ["alert_id", "id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_alert_notices_waiting",
        "alert_notices",
        ["next_attempt_at"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_table(
        "alert_tasks",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("done_at", time, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("taken_until", time, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_tasks")),
    )


def downgrade() -> None:
    for table in ("tasks", "notices", "entries", "conditions", "rules"):
        op.drop_table(f"alert_{table}")
    op.drop_table("alerts")
