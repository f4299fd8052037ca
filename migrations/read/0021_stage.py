"""An order's stage, and the orders of a day by it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0021"
down_revision: str | None = "read_0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name, kind in (
        ("step", sa.String(length=20)),
        ("stage", sa.String(length=20)),
        ("decision", sa.Text()),
    ):
        op.add_column("orders", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column("orders", sa.Column("stage_since", columns.UtcDateTime()))
    _fill_in()
    op.create_index("ix_orders_stage", "orders", ["stage", "placed_at", "order_id"])
    _index_waiting("stage")
    _count_by("status", "stage")


def downgrade() -> None:
    _count_by("status")
    _index_waiting("status")
    op.drop_index("ix_orders_stage", table_name="orders")
    for name in ("stage_since", "decision", "stage", "step"):
        op.drop_column("orders", name)


def _fill_in() -> None:
    """What the projection will say, nearly: its rebuild knows since when, and what is not begun."""
    op.execute("""
        UPDATE orders SET
            step = COALESCE((SELECT CASE WHEN f.stage IN ('reserving', 'out_of_stock', 'paying',
                'payment_retry', 'unpaid', 'paused', 'to_ship', 'undoing') THEN f.stage END
                FROM fulfilments f WHERE f.order_id = orders.order_id), ''),
            decision = COALESCE((SELECT f.sentence FROM fulfilments f
                WHERE f.order_id = orders.order_id AND f.stage = 'stuck'), ''),
            stage_since = updated_at
    """)
    op.execute("""
        UPDATE orders SET stage = CASE
            WHEN status = 'placed' THEN 'needs_approval'
            WHEN status = 'part_shipped' THEN 'partly_shipped'
            WHEN status NOT IN ('approved', 'on_hold') THEN status
            WHEN step = 'unpaid' THEN 'payment_failed'
            WHEN step = 'out_of_stock' THEN 'out_of_stock'
            WHEN status = 'on_hold' THEN 'on_hold'
            WHEN step IN ('paying', 'payment_retry') THEN 'awaiting_payment'
            WHEN step IN ('reserving', 'paused', 'undoing') THEN 'processing'
            ELSE 'ready_to_ship' END
    """)


def _index_waiting(by: str) -> None:
    op.drop_index("ix_orders_waiting", table_name="orders")
    waiting = sa.column("imported").is_(False)
    op.create_index(
        "ix_orders_waiting",
        "orders",
        [by, "placed_at", "order_id"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )


def _count_by(*names: str) -> None:
    op.drop_table("order_days")
    op.create_table(
        "order_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *(sa.Column(name, sa.String(length=20), nullable=False) for name in names),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("value", columns.Amount(), nullable=False),
        sa.Column("imported", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("imported_value", columns.Amount(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("day", "currency", *names, name=op.f("pk_order_days")),
    )
    by = ", ".join(names)
    op.execute(f"""
        INSERT INTO order_days (day, currency, {by}, orders, value, imported, imported_value)
        SELECT placed_day, currency, {by}, count(*), sum(total),
            sum(CASE WHEN imported THEN 1 ELSE 0 END), sum(CASE WHEN imported THEN total ELSE 0 END)
        FROM orders GROUP BY placed_day, currency, {by}
    """)  # noqa: S608 - our own names
