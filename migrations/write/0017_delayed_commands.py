"""When a delayed command may be carried out."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0017"
down_revision: str | None = "write_0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("command_log", sa.Column("not_before", columns.UtcDateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("command_log", "not_before")
