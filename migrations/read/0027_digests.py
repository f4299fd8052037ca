"""Running digests of the read models."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0027"
down_revision: str | None = "read_0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = (
    *("orders", "order_lines", "order_returns", "order_return_lines", "order_flags"),
    *("order_tags", "order_texts", "orders_of_merged", "order_days", "order_activity"),
    *("order_timeline", "customer_accounts", "credit_notes", "accounts_of_merged", "sales_days"),
    *("product_days", "customer_days", "sold_products", "sales_orders", "sales_payments"),
    *("sales_of_merged", "customer_profiles", "customer_counts", "customer_history"),
    *("fulfilments", "products", "stock_reservations", "expected_deliveries", "stock_movements"),
    *("product_sales", "payments", "payment_timeline", "ledger_entries", "webhooks"),
)


def upgrade() -> None:
    digests = op.create_table(
        "digests",
        sa.Column("table_name", sa.String(63), nullable=False),
        sa.Column("rows", columns.BigKey, nullable=False, autoincrement=False),
        sa.Column("total", sa.String(32), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_digests")),
    )
    # Rows that are there already are counted later: by the first reconciliation or a rebuild.
    for name in _TABLES:
        any_row = sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1)
        if op.get_bind().execute(any_row).first():
            nothing = {"table_name": name, "rows": 0, "total": "0" * 32, "complete": False}
            op.bulk_insert(digests, [nothing])


def downgrade() -> None:
    op.drop_table("digests")
