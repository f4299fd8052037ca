"""Refunds in the figures of the reports, and one name per product."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0016"
down_revision: str | None = "read_0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REFUNDED = ("sales_days", "customer_days", "sales_orders")


def upgrade() -> None:
    for table in _REFUNDED:
        op.add_column(
            table, sa.Column("refunded", columns.Amount(), nullable=False, server_default="0")
        )
    op.add_column(
        "sales_orders",
        sa.Column("cancelled", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    refunded = sa.text("refunded > 0")
    op.create_index(
        "ix_sales_orders_refunded",
        "sales_orders",
        ["day", "order_id"],
        postgresql_where=refunded,
        sqlite_where=refunded,
    )
    op.create_table(
        "sales_payments",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("captured", columns.Amount(), nullable=False),
        sa.Column("refunded", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "currency", name=op.f("pk_sales_payments")),
    )
    # Without the NOT NULL of `described_at`, which SQLite cannot drop in place. The projection
    # fills it again.
    op.drop_table("sold_products")
    _sold_products(sa.Column("name", sa.String(length=300), nullable=False), described=True)


def downgrade() -> None:
    op.drop_table("sold_products")
    _sold_products(described=False)
    op.drop_table("sales_payments")
    op.drop_index("ix_sales_orders_refunded", table_name="sales_orders")
    op.drop_column("sales_orders", "cancelled")
    for table in reversed(_REFUNDED):
        op.drop_column(table, "refunded")


def _sold_products(*name: sa.Column, described: bool) -> None:
    op.create_table(
        "sold_products",
        sa.Column("sku", sa.String(length=60), nullable=False),
        *name,
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("described_at", columns.UtcDateTime(timezone=True), nullable=described),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_sold_products")),
    )
