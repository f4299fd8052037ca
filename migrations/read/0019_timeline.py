"""One timeline of an order, from all areas. It is filled by the rebuild of its projection."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "read_0019"
down_revision: str | None = "read_0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _columns(*, stream: bool) -> list[sa.Column]:
    return [
        sa.Column("order_id", sa.String(length=60), nullable=False),
        *([sa.Column("stream", sa.String(length=200), nullable=False)] if stream else []),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("command_id", sa.String(length=64), nullable=False),
    ]


def upgrade() -> None:
    op.drop_table("order_timeline")
    op.create_table(
        "order_timeline",
        *_columns(stream=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "stream", "version", name=op.f("pk_order_timeline")),
    )
    _index("subject")


def downgrade() -> None:
    op.drop_table("order_timeline")
    op.create_table(
        "order_timeline",
        *_columns(stream=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.String(length=60), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_order_timeline")),
    )
    _index("customer_id")


def _index(name: str) -> None:
    filled = sa.column(name) != ""
    op.create_index(
        f"ix_order_timeline_{name}",
        "order_timeline",
        [name],
        postgresql_where=filled,
        sqlite_where=filled,
    )
