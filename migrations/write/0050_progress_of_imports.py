"""When an import was first started, and when the file of this attempt was read."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store.columns import UtcDateTime

revision: str = "write_0050"
down_revision: str | None = "write_0049"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("first_started_at", UtcDateTime()))
    op.add_column("imports", sa.Column("read_at", UtcDateTime()))


def downgrade() -> None:
    op.drop_column("imports", "read_at")
    op.drop_column("imports", "first_started_at")
