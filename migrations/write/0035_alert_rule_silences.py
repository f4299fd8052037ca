"""Silences of whole alert rules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0035"
down_revision: str | None = "write_0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "alert_rule_silences",
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("until", columns.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_alert_rule_silences")),
    )


def downgrade() -> None:
    op.drop_table("alert_rule_silences")
