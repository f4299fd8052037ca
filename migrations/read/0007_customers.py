"""Registered customers; whose data the lines of a timeline hold."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0007"
down_revision: str | None = "read_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OF_A_CUSTOMER = sa.text("customer_id != ''")


def upgrade() -> None:
    op.create_table(
        "customer_profiles",
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("registered_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_profiles")),
    )
    for column in ("status", "name", "registered_at"):
        op.create_index(
            f"ix_customer_profiles_{column}", "customer_profiles", [column, "customer_id"]
        )
    op.create_table(
        "customer_counts",
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("status", name=op.f("pk_customer_counts")),
    )
    op.create_table(
        "customer_history",
        sa.Column("customer_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "version", name=op.f("pk_customer_history")),
    )
    op.add_column(
        "order_timeline",
        sa.Column("customer_id", sa.String(length=60), nullable=False, server_default=""),
    )
    op.create_index(
        "ix_order_timeline_customer_id",
        "order_timeline",
        ["customer_id"],
        postgresql_where=_OF_A_CUSTOMER,
        sqlite_where=_OF_A_CUSTOMER,
    )


def downgrade() -> None:
    op.drop_index("ix_order_timeline_customer_id", table_name="order_timeline")
    op.drop_column("order_timeline", "customer_id")
    op.drop_table("customer_history")
    op.drop_table("customer_counts")
    op.drop_table("customer_profiles")
