"""Parked events name the failure that they count for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0026"
down_revision: str | None = "read_0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "parked_events"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("cause", sa.String(12), nullable=True))
    counted = sa.column("cause").is_not(None)
    op.create_index(
        f"ix_{TABLE}_cause", TABLE, ["cause"], postgresql_where=counted, sqlite_where=counted
    )
    uncounted = sa.column("cause").is_(None) & sa.column("culprit", sa.Boolean())
    op.create_index(
        f"ix_{TABLE}_uncounted",
        TABLE,
        ["position"],
        postgresql_where=uncounted,
        sqlite_where=uncounted,
    )


def downgrade() -> None:
    op.drop_index(f"ix_{TABLE}_uncounted", TABLE)
    op.drop_index(f"ix_{TABLE}_cause", TABLE)
    op.drop_column(TABLE, "cause")
