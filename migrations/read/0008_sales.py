"""Figures of the reports, and what their links look up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0008"
down_revision: str | None = "read_0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _by_place(name: str, identity: str, *rest: sa.Column) -> None:
    key = ["day", "country", "currency", *([identity] if identity else [])]
    op.create_table(
        name,
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *([sa.Column(identity, sa.String(length=60), nullable=False)] if identity else []),
        *rest,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    _by_place(
        "sales_days",
        "",
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("revenue", columns.Amount(), nullable=False),
        sa.Column("cancelled_orders", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_value", columns.Amount(), nullable=False),
        sa.Column("credit_notes", sa.BigInteger(), nullable=False),
        sa.Column("credited", columns.Amount(), nullable=False),
    )
    _by_place(
        "product_days",
        "sku",
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("revenue", columns.Amount(), nullable=False),
    )
    _by_place(
        "customer_days",
        "customer_id",
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("revenue", columns.Amount(), nullable=False),
        sa.Column("credited", columns.Amount(), nullable=False),
    )
    op.create_table(
        "sold_products",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("described_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_sold_products")),
    )
    op.create_table(
        "sales_orders",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("total", columns.Amount(), nullable=False),
        sa.Column("products", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_sales_orders")),
    )
    op.create_index("ix_order_lines_sku", "order_lines", ["sku", "order_id"])
    op.create_index(
        "ix_credit_notes_credited_at", "credit_notes", ["credited_at", "credit_note_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_credit_notes_credited_at", table_name="credit_notes")
    op.drop_index("ix_order_lines_sku", table_name="order_lines")
    for name in ("sales_orders", "sold_products", "customer_days", "product_days", "sales_days"):
        op.drop_table(name)
