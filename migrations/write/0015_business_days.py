"""The zone whose days a subscription counts by."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0015"
down_revision: str | None = "write_0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    zone = sa.Column("zone", sa.String(length=60), nullable=False, server_default="UTC")
    op.add_column("subscription_cursors", zone)


def downgrade() -> None:
    op.drop_column("subscription_cursors", "zone")
