"""Each command bears the number of the seal that covers it.

Rows that were sealed before get theirs from the console, a bounded number at a time: so also those
that an earlier release seals while it goes on beside this one (docs/operating.md, "A new release").
After a downgrade, the earlier release may report commands that were sealed in another order than
that of the times at which they finished.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0053"
down_revision: str | None = "write_0052"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FINAL = sa.text("outcome IN ('succeeded', 'refused', 'requested')")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("command_log", sa.Column("seal", number))
    op.create_index("ix_command_log_seal", "command_log", ["seal", "finished_at", "command_id"])
    op.drop_index("ix_command_log_finished_at", "command_log")


def downgrade() -> None:
    op.create_index(
        "ix_command_log_finished_at",
        "command_log",
        ["finished_at", "command_id"],
        postgresql_where=FINAL,
        sqlite_where=FINAL,
    )
    op.drop_index("ix_command_log_seal", "command_log")
    op.drop_column("command_log", "seal")
