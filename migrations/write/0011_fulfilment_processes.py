"""Fulfilment as a process manager: its state, outgoing commands and steps as rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0011"
down_revision: str | None = "write_0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "fulfilment_processes",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_fulfilment_processes")),
    )
    op.create_index("ix_fulfilment_processes_due_at", "fulfilment_processes", ["due_at"])
    # The state is made from the order's events the first time that it is needed; deadlines must
    # pass before that.
    op.execute(
        "INSERT INTO fulfilment_processes (order_id, version, due_at) "
        "SELECT order_id, 0, due_at FROM fulfilment_deadlines"
    )
    op.drop_table("fulfilment_deadlines")
    # A store that is new begins at the end of its log; so does one on which nobody followed it.
    op.execute(
        "INSERT INTO subscription_cursors (subscription, position, version, state, applied) "
        "SELECT 'fulfilment_process', position, 1, 'running', position FROM fulfilment_cursor"
    )
    op.drop_table("fulfilment_cursor")
    op.create_table(
        "fulfilment_outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("causation_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfilment_outbox")),
        sa.UniqueConstraint("command_id", name=op.f("uq_fulfilment_outbox_command_id")),
    )
    op.create_table(
        "fulfilment_history",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "step", name=op.f("pk_fulfilment_history")),
    )


def downgrade() -> None:
    """Only of a store without orders under way: the release before keeps their state in events."""
    op.create_table(
        "fulfilment_deadlines",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("move_no", sa.Integer(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_fulfilment_deadlines")),
    )
    op.create_index("ix_fulfilment_deadlines_due_at", "fulfilment_deadlines", ["due_at"])
    op.create_table(
        "fulfilment_cursor",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fulfilment_cursor")),
    )
    op.execute(
        "INSERT INTO fulfilment_cursor (name, position) SELECT 'log', position "
        "FROM subscription_cursors WHERE subscription = 'fulfilment_process'"
    )
    op.execute("DELETE FROM subscription_cursors WHERE subscription = 'fulfilment_process'")
    op.drop_table("fulfilment_history")
    op.drop_table("fulfilment_outbox")
    op.drop_index("ix_fulfilment_processes_due_at", table_name="fulfilment_processes")
    op.drop_table("fulfilment_processes")
