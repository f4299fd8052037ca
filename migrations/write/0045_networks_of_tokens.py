"""Networks that an API token works from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "write_0045"
down_revision: str | None = "write_0044"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("api_tokens", sa.Column("networks", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("api_tokens", "networks")
