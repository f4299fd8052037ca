"""Inventory."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0004"
down_revision: str | None = "read_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "expected_deliveries",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "reference", name=op.f("pk_expected_deliveries")),
    )
    op.create_table(
        "product_sales",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("shipments", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "day", name=op.f("pk_product_sales")),
    )
    op.create_index("ix_product_sales_day", "product_sales", ["day", "sku"])
    op.create_table(
        "products",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("low_below", sa.BigInteger(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("incoming", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.BigInteger(), nullable=False),
        sa.Column("added_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_products")),
    )
    op.create_index("ix_products_available", "products", ["available", "sku"])
    op.create_index("ix_products_description", "products", ["description", "sku"])
    op.create_index("ix_products_short", "products", ["short", "sku"])
    op.create_table(
        "stock_movements",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sku", "version", name=op.f("pk_stock_movements")),
    )
    op.create_table(
        "stock_reservations",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("committed", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sku", "order_id", name=op.f("pk_stock_reservations")),
    )
    op.create_index("ix_stock_reservations_order_id", "stock_reservations", ["order_id", "sku"])


def downgrade() -> None:
    op.drop_table("stock_reservations")
    op.drop_table("stock_movements")
    op.drop_table("products")
    op.drop_table("product_sales")
    op.drop_table("expected_deliveries")
