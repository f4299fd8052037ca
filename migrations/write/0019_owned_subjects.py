"""Whose personal data an order's own became when the order was assigned to a customer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0019"
down_revision: str | None = "write_0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("subject_keys", sa.Column("owner", sa.String(length=200)))
    owned = sa.column("owner").is_not(None)
    op.create_index(
        "ix_subject_keys_owner",
        "subject_keys",
        ["owner"],
        postgresql_where=owned,
        sqlite_where=owned,
    )


def downgrade() -> None:
    op.drop_index("ix_subject_keys_owner", table_name="subject_keys")
    op.drop_column("subject_keys", "owner")
