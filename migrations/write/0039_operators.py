"""Links for operators, custom roles, and when somebody signed in last."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0039"
down_revision: str | None = "write_0038"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    time = columns.UtcDateTime(timezone=True)
    op.create_table(
        "operator_links",
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("command_id", sa.String(length=100), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", time, nullable=False),
        sa.Column("taken", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_operator_links")),
    )
    op.create_table(
        "operator_roles",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("based_on", sa.String(length=20), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operator_roles")),
    )
    op.add_column("operators", sa.Column("last_sign_in_at", time, nullable=True))
    op.execute(
        "UPDATE operators SET last_sign_in_at = (SELECT max(created_at) FROM sessions "
        "WHERE sessions.operator = operators.name AND NOT sessions.second_factor_due)"
    )


def downgrade() -> None:
    op.drop_column("operators", "last_sign_in_at")
    op.drop_table("operator_roles")
    op.drop_table("operator_links")
