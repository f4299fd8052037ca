"""The tables written by inventory's projections, and by nothing else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, String, Table, Text

from cqrs_app.kernel import UtcDateTime, read_tables

_SKU = String(60)

# available = on_hand - reserved; short: units missing to the low-stock level, 0 if none.
products = Table(
    "products",
    read_tables,
    Column("sku", _SKU, primary_key=True),
    Column("description", String(300), nullable=False),
    Column("search", Text, nullable=False),
    Column("tracked", Boolean, nullable=False),
    Column("retired", Boolean, nullable=False),
    # Such as "EUR 64.00, GBP 55.00".
    Column("prices", Text, nullable=False, server_default=""),
    Column("low_below", BigInteger, nullable=False),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("incoming", BigInteger, nullable=False),
    Column("short", BigInteger, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    # When the last change was recorded; imported history may have happened long before.
    Column("updated_at", UtcDateTime, nullable=False),
    Column("applied_version", Integer, nullable=False),
)
Index("ix_products_available", products.c.available, products.c.sku)
Index("ix_products_short", products.c.short, products.c.sku)
Index("ix_products_description", products.c.description, products.c.sku)

# One row per order and product; quantity is what is still reserved, committed what has shipped.
stock_reservations = Table(
    "stock_reservations",
    read_tables,
    Column("sku", _SKU, primary_key=True),
    Column("order_id", String(60), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("committed", BigInteger, nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
)
Index("ix_stock_reservations_order_id", stock_reservations.c.order_id, stock_reservations.c.sku)

# What is still expected; 0 once received or withdrawn.
expected_deliveries = Table(
    "expected_deliveries",
    read_tables,
    Column("sku", _SKU, primary_key=True),
    Column("reference", String(100), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("due", Date, nullable=False),
)

# The ledger, append-only. A product's quantities add up to its stock on hand.
stock_movements = Table(
    "stock_movements",
    read_tables,
    Column("sku", _SKU, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("on_hand", BigInteger, nullable=False),
    # A delivery's number, an order's, or why it was adjusted.
    Column("reference", String(100), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("command_id", String(64), nullable=False),
)

# What shipped for orders, by day.
product_sales = Table(
    "product_sales",
    read_tables,
    Column("sku", _SKU, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("units", BigInteger, nullable=False),
    Column("shipments", BigInteger, nullable=False),
)
Index("ix_product_sales_day", product_sales.c.day, product_sales.c.sku)
