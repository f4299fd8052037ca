"""Cursors and parked events of the subscriptions that have effects; payment requests are one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0009"
down_revision: str | None = "write_0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subscription_cursors",
        sa.Column("subscription", sa.String(length=60), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("applied", _BIG, nullable=False),
        sa.Column("advanced_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subscription", name=op.f("pk_subscription_cursors")),
    )
    op.create_table(
        "subscription_parked",
        sa.Column("subscription", sa.String(length=60), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("culprit", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscription", "position", name=op.f("pk_subscription_parked")),
    )
    op.create_index(
        "ix_subscription_parked_stream", "subscription_parked", ["subscription", "stream"]
    )
    op.execute(
        "INSERT INTO subscription_cursors (subscription, position, version, state, applied) "
        "SELECT 'payment_requests', position, 1, 'running', position FROM gateway_cursor"
    )
    op.drop_table("gateway_cursor")


def downgrade() -> None:
    op.create_table(
        "gateway_cursor",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateway_cursor")),
    )
    op.execute(
        "INSERT INTO gateway_cursor (name, position) SELECT 'requests', position "
        "FROM subscription_cursors WHERE subscription = 'payment_requests'"
    )
    op.drop_table("subscription_parked")
    op.drop_table("subscription_cursors")
