"""Orders on their way."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0006"
down_revision: str | None = "write_0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "fulfilment_cursor",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fulfilment_cursor")),
    )
    # Orders of before are not seen through: people have done so.
    op.execute(
        "INSERT INTO fulfilment_cursor (name, position) "
        "SELECT 'log', COALESCE(MAX(position), 0) FROM events"
    )
    op.create_table(
        "fulfilment_deadlines",
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("move_no", sa.Integer(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_fulfilment_deadlines")),
    )
    with op.batch_alter_table("fulfilment_deadlines", schema=None) as batch_op:
        batch_op.create_index("ix_fulfilment_deadlines_due_at", ["due_at"], unique=False)

    op.create_table(
        "fulfilment_wants",
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=60), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("sku", "order_id", name=op.f("pk_fulfilment_wants")),
    )
    with op.batch_alter_table("fulfilment_wants", schema=None) as batch_op:
        batch_op.create_index("ix_fulfilment_wants_order_id", ["order_id"], unique=False)


def downgrade() -> None:
    op.drop_table("fulfilment_wants")
    op.drop_table("fulfilment_deadlines")
    op.drop_table("fulfilment_cursor")
