"""The first tables of the read store."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.areas.desk.search import create_search, drop_search
from cqrs_app.kernel.store import columns

revision: str = "read_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("projection", sa.String(length=60), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("applied", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("advanced_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("projection", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "credit_notes",
        sa.Column("credit_note_id", sa.String(length=60), nullable=False),
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("credited_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("credit_note_id", name=op.f("pk_credit_notes")),
    )
    with op.batch_alter_table("credit_notes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_credit_notes_customer_id", ["customer_id", "credited_at"], unique=False
        )

    op.create_table(
        "customer_accounts",
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("placed_value", columns.Amount(), nullable=False),
        sa.Column("cancelled_value", columns.Amount(), nullable=False),
        sa.Column("credit_notes", sa.BigInteger(), nullable=False),
        sa.Column("credited", columns.Amount(), nullable=False),
        sa.Column("first_order_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_order_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("applied_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "currency", name=op.f("pk_customer_accounts")),
    )
    with op.batch_alter_table("customer_accounts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customer_accounts_name", ["name", "customer_id", "currency"], unique=False
        )
        batch_op.create_index(
            "ix_customer_accounts_orders", ["orders", "customer_id", "currency"], unique=False
        )
        batch_op.create_index(
            "ix_customer_accounts_placed_value",
            ["placed_value", "customer_id", "currency"],
            unique=False,
        )

    op.create_table(
        "order_activity",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("value", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("day", "what", "currency", name=op.f("pk_order_activity")),
    )
    op.create_table(
        "order_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("value", columns.Amount(), nullable=False),
        sa.PrimaryKeyConstraint("day", "currency", "status", name=op.f("pk_order_days")),
    )
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", columns.Amount(), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.Column("shipped_quantity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "line_no", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "order_texts",
        sa.Column(
            "row_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_order_texts")),
        sa.UniqueConstraint("order_id", name=op.f("uq_order_texts_order_id")),
        info={"key": ("order_id",)},
    )
    op.create_table(
        "order_timeline",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_order_timeline")),
    )
    op.create_table(
        "orders",
        sa.Column(
            "row_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("customer_name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", columns.Amount(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("shipped_units", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("placed_day", sa.Date(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("hold_reason", sa.String(length=60), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("tracking", sa.String(length=100), nullable=False),
        sa.Column("ship_name", sa.String(length=200), nullable=False),
        sa.Column("ship_line1", sa.String(length=200), nullable=False),
        sa.Column("ship_line2", sa.String(length=200), nullable=False),
        sa.Column("ship_city", sa.String(length=100), nullable=False),
        sa.Column("ship_postal_code", sa.String(length=30), nullable=False),
        sa.Column("ship_country", sa.String(length=60), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.Column("applied_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("order_id", name=op.f("uq_orders_order_id")),
        info={"key": ("order_id",)},
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_applied_position", ["applied_position"], unique=False)
        batch_op.create_index(
            "ix_orders_customer_id", ["customer_id", "placed_at", "order_id"], unique=False
        )
        batch_op.create_index("ix_orders_placed_at", ["placed_at", "order_id"], unique=False)
        batch_op.create_index("ix_orders_status", ["status", "placed_at", "order_id"], unique=False)
        batch_op.create_index("ix_orders_total", ["total", "order_id"], unique=False)
        batch_op.create_index("ix_orders_updated_at", ["updated_at", "order_id"], unique=False)

    op.create_table(
        "parked_events",
        sa.Column("projection", sa.String(length=60), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("culprit", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("projection", "position", name=op.f("pk_parked_events")),
    )
    with op.batch_alter_table("parked_events", schema=None) as batch_op:
        batch_op.create_index("ix_parked_events_stream", ["projection", "stream"], unique=False)

    op.create_table(
        "statistics",
        sa.Column("bus", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("minute", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("bound_ms", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("total_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "bus", "name", "result", "minute", "bound_ms", name=op.f("pk_statistics")
        ),
    )
    with op.batch_alter_table("statistics", schema=None) as batch_op:
        batch_op.create_index("ix_statistics_minute", ["minute"], unique=False)

    create_search(op.get_bind())


def downgrade() -> None:
    drop_search(op.get_bind())
    with op.batch_alter_table("statistics", schema=None) as batch_op:
        batch_op.drop_index("ix_statistics_minute")

    op.drop_table("statistics")
    with op.batch_alter_table("parked_events", schema=None) as batch_op:
        batch_op.drop_index("ix_parked_events_stream")

    op.drop_table("parked_events")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_updated_at")
        batch_op.drop_index("ix_orders_total")
        batch_op.drop_index("ix_orders_status")
        batch_op.drop_index("ix_orders_placed_at")
        batch_op.drop_index("ix_orders_customer_id")
        batch_op.drop_index("ix_orders_applied_position")

    op.drop_table("orders")
    op.drop_table("order_timeline")
    op.drop_table("order_texts")
    op.drop_table("order_lines")
    op.drop_table("order_days")
    op.drop_table("order_activity")
    with op.batch_alter_table("customer_accounts", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_accounts_placed_value")
        batch_op.drop_index("ix_customer_accounts_orders")
        batch_op.drop_index("ix_customer_accounts_name")

    op.drop_table("customer_accounts")
    with op.batch_alter_table("credit_notes", schema=None) as batch_op:
        batch_op.drop_index("ix_credit_notes_customer_id")

    op.drop_table("credit_notes")
    op.drop_table("checkpoints")
