"""Notifications by e-mail."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0041"
down_revision: str | None = "write_0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_UNMAILED = sa.text("mail_at IS NOT NULL AND mail_id IS NULL")


def upgrade() -> None:
    op.add_column("notifications", sa.Column("mail_at", columns.UtcDateTime()))
    op.add_column("notifications", sa.Column("mail_id", sa.String(36)))
    op.create_index(
        "ix_notifications_mail_at",
        "notifications",
        ["mail_at"],
        postgresql_where=_UNMAILED,
        sqlite_where=_UNMAILED,
    )
    op.create_table(
        "notification_addresses",
        sa.Column("operator", sa.String(100), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("console", sa.String(200), nullable=False),
        sa.Column("confirmed_at", columns.UtcDateTime()),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_notification_addresses")),
    )
    op.create_table(
        "notification_mails",
        sa.Column("mail_id", sa.String(36), nullable=False),
        sa.Column("operator", sa.String(100), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("next_attempt_at", columns.UtcDateTime(), nullable=False),
        sa.Column("taken_until", columns.UtcDateTime()),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_notification_mails")),
    )
    op.create_index("ix_notification_mails_due", "notification_mails", ["state", "next_attempt_at"])
    op.create_index(
        "ix_notification_mails_operator", "notification_mails", ["operator", "created_at"]
    )


def downgrade() -> None:
    op.drop_table("notification_mails")
    op.drop_table("notification_addresses")
    op.drop_index("ix_notifications_mail_at", "notifications")
    op.drop_column("notifications", "mail_id")
    op.drop_column("notifications", "mail_at")
