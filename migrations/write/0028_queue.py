"""Teams of operators; claims of orders, who has them open, and what queues leave out."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0028"
down_revision: str | None = "write_0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    time = columns.UtcDateTime(timezone=True)
    name, order_id = sa.String(length=100), sa.String(length=60)
    team = sa.Column("team", sa.String(length=40), nullable=False, server_default="")
    op.add_column("operators", team)
    op.create_table(
        "order_claims",
        sa.Column("order_id", order_id, nullable=False),
        sa.Column("operator", name, nullable=False),
        sa.Column("claimed_at", time, nullable=False),
        sa.Column("lease_until", time, nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_claims")),
    )
    op.create_table(
        "order_presence",
        sa.Column("order_id", order_id, nullable=False),
        sa.Column("operator", name, nullable=False),
        sa.Column("lease_until", time, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "operator", name=op.f("pk_order_presence")),
    )
    op.create_table(
        "queue_skips",
        sa.Column("operator", name, nullable=False),
        sa.Column("order_id", order_id, nullable=False),
        sa.Column("until", time, nullable=False),
        sa.PrimaryKeyConstraint("operator", "order_id", name=op.f("pk_queue_skips")),
    )
    op.create_table(
        "queue_runs",
        sa.Column("operator", name, nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("started_at", time, nullable=False),
        sa.Column("handled", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_queue_runs")),
    )
    for table, column in (
        ("order_claims", "lease_until"),
        ("order_presence", "lease_until"),
        ("queue_skips", "until"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table in ("queue_runs", "queue_skips", "order_presence", "order_claims"):
        op.drop_table(table)
    op.drop_column("operators", "team")
