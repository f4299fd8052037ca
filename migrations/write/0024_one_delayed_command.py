"""At most one delayed command of a type waits in a stream."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0024"
down_revision: str | None = "write_0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DELAYED = sa.text("outcome = 'queued' AND not_before IS NOT NULL")


def upgrade() -> None:
    # What waits at this moment might be there twice: it is carried out without further delay.
    op.execute(sa.text(f"UPDATE command_log SET not_before = NULL WHERE {_DELAYED.text}"))  # noqa: S608
    op.create_index(
        "ix_command_log_delayed",
        "command_log",
        ["stream", "type"],
        unique=True,
        postgresql_where=_DELAYED,
        sqlite_where=_DELAYED,
    )


def downgrade() -> None:
    op.drop_index("ix_command_log_delayed", "command_log")
