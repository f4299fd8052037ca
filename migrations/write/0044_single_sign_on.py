"""Identities at an OpenID provider, and sessions that it opened."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0044"
down_revision: str | None = "write_0043"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "operator_identities",
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_operator_identities")),
    )
    op.create_index(
        "ix_operator_identities_operator", "operator_identities", ["operator"], unique=True
    )
    for name in ("identity", "provider_session"):
        op.add_column("sessions", sa.Column(name, sa.String(64), nullable=False, server_default=""))
    op.add_column(
        "sessions",
        sa.Column("provider_factor", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    for name in ("provider_factor", "provider_session", "identity"):
        op.drop_column("sessions", name)
    op.drop_index("ix_operator_identities_operator", "operator_identities")
    op.drop_table("operator_identities")
