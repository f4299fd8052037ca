"""How an operator likes the console: shortcuts, the columns of lists, their density."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0018"
down_revision: str | None = "write_0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("preferences", sa.Text(), nullable=False, server_default="{}")
    op.add_column("operators", column)


def downgrade() -> None:
    op.drop_column("operators", "preferences")
