"""Payments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0005"
down_revision: str | None = "write_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "gateway_cursor",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateway_cursor")),
    )
    op.create_table(
        "gateway_requests",
        sa.Column("request_key", sa.String(length=40), nullable=False),
        sa.Column("payment_id", sa.String(length=60), nullable=False),
        sa.Column("request_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("next_attempt_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("requested_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=36), nullable=True),
        sa.Column("taken_until", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("request_key", name=op.f("pk_gateway_requests")),
    )
    with op.batch_alter_table("gateway_requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gateway_requests_next_attempt_at",
            ["next_attempt_at"],
            unique=False,
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.create_index("ix_gateway_requests_payment_id", ["payment_id"], unique=False)

    op.create_table(
        "sandbox_requests",
        sa.Column("request_key", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.String(length=20), nullable=False),
        sa.Column("amount", columns.Amount(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("method", sa.String(length=100), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request_key", name=op.f("pk_sandbox_requests")),
    )


def downgrade() -> None:
    op.drop_table("sandbox_requests")
    with op.batch_alter_table("gateway_requests", schema=None) as batch_op:
        batch_op.drop_index("ix_gateway_requests_payment_id")
        batch_op.drop_index(
            "ix_gateway_requests_next_attempt_at",
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )

    op.drop_table("gateway_requests")
    op.drop_table("gateway_cursor")
