"""Where a customer's new orders are shipped."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "read_0017"
down_revision: str | None = "read_0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PARTS = {"line1": 200, "line2": 200, "postal_code": 30, "city": 100}


def upgrade() -> None:
    for name, most in _PARTS.items():
        part = sa.Column(name, sa.String(length=most), nullable=False, server_default="")
        op.add_column("customer_profiles", part)


def downgrade() -> None:
    for name in _PARTS:
        op.drop_column("customer_profiles", name)
