"""Returns of orders, and lines that were changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0024"
down_revision: str | None = "read_0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ADDED = (
    ("orders", "last_line", sa.Integer()),
    ("orders", "returned_units", sa.BigInteger()),
    ("order_lines", "returned_quantity", sa.Integer()),
)


def upgrade() -> None:
    for table, name, kind in _ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default="0"))
    op.create_table(
        "order_returns",
        sa.Column("order_id", sa.String(60), nullable=False),
        sa.Column("return_id", sa.String(7), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("requested_at", columns.UtcDateTime(), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "return_id", name=op.f("pk_order_returns")),
    )
    op.create_table(
        "order_return_lines",
        sa.Column("order_id", sa.String(60), nullable=False),
        sa.Column("return_id", sa.String(7), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("restocked", sa.Integer(), nullable=False),
        sa.Column("written_off", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "order_id", "return_id", "line_no", name=op.f("pk_order_return_lines")
        ),
    )


def downgrade() -> None:
    op.drop_table("order_return_lines")
    op.drop_table("order_returns")
    for table, name, _ in reversed(_ADDED):
        op.drop_column(table, name)
