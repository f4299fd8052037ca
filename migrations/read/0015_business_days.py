"""The zone whose days a projection counts by; the day of a credit note."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0015"
down_revision: str | None = "read_0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Until now all days were those of UTC.
    zone = sa.Column("zone", sa.String(length=60), nullable=False, server_default="UTC")
    op.add_column("checkpoints", zone)
    op.add_column("credit_notes", sa.Column("credited_day", sa.Date()))
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(
        "UPDATE credit_notes SET credited_day = date(credited_at)"
        if sqlite
        else "UPDATE credit_notes SET credited_day = (credited_at AT TIME ZONE 'UTC')::date"
    )


def downgrade() -> None:
    op.drop_column("credit_notes", "credited_day")
    op.drop_column("checkpoints", "zone")
