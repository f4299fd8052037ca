"""Steps of fulfilment stand in the write store; the read store keeps the stages."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0011"
down_revision: str | None = "read_0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_table("fulfilment_tasks")
    op.drop_table("fulfilment_steps")


def downgrade() -> None:
    op.create_table(
        "fulfilment_steps",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_fulfilment_steps")),
    )
    op.create_table(
        "fulfilment_tasks",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("task_no", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "task_no", name=op.f("pk_fulfilment_tasks")),
    )
