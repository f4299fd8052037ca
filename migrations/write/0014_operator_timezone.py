"""The time zone that an operator chose to see times in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0014"
down_revision: str | None = "write_0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("timezone", sa.String(length=60), nullable=False, server_default="")
    op.add_column("operators", column)


def downgrade() -> None:
    op.drop_column("operators", "timezone")
