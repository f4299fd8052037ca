"""Discounts, shipping, tax and fees of orders, and their billing addresses."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0020"
down_revision: str | None = "read_0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNTS = ("discount", "shipping", "tax", "fee")
_ADDRESS = {
    "bill_name": 200,
    "bill_line1": 200,
    "bill_line2": 200,
    "bill_city": 100,
    "bill_postal_code": 30,
    "bill_country": 60,
}


def _amount(name: str) -> sa.Column[object]:
    return sa.Column(name, columns.Amount(), nullable=False, server_default="0")


def upgrade() -> None:
    for name in _AMOUNTS:
        op.add_column("orders", _amount(name))
    op.add_column(
        "orders", sa.Column("adjustments", sa.Text(), nullable=False, server_default="[]")
    )
    for name, most in _ADDRESS.items():
        part = sa.Column(name, sa.String(length=most), nullable=False, server_default="")
        op.add_column("orders", part)
    op.add_column("order_lines", _amount("discount"))


def downgrade() -> None:
    op.drop_column("order_lines", "discount")
    for name in (*_AMOUNTS, "adjustments", *_ADDRESS):
        op.drop_column("orders", name)
