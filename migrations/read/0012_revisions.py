"""A number that changes with the rows of a projection, so that answers made before are known."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0012"
down_revision: str | None = "read_0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("checkpoints", sa.Column("revision", number, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("checkpoints", "revision")
