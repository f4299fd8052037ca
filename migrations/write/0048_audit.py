"""Security events that are to be sent to another system."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0048"
down_revision: str | None = "write_0047"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "audit_unsent",
        sa.Column("position", columns.BigKey, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_unsent")),
    )


def downgrade() -> None:
    op.drop_table("audit_unsent")
