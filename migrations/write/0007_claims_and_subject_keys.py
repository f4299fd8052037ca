"""Claims and the keys of personal data."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0007"
down_revision: str | None = "write_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("kind", "hash", name=op.f("pk_claims")),
        sa.UniqueConstraint("kind", "stream", name=op.f("uq_claims_kind_stream")),
    )
    op.create_table(
        "subject_keys",
        sa.Column("key_id", sa.String(length=22), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=60), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("erased_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_subject_keys")),
        sa.UniqueConstraint("subject", name=op.f("uq_subject_keys_subject")),
    )


def downgrade() -> None:
    op.drop_table("subject_keys")
    op.drop_table("claims")
