"""Keys of the store, wrapped with the master key; room for sealed secrets of webhooks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from cqrs_app.kernel.store import columns

revision: str = "write_0052"
down_revision: str | None = "write_0051"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=60), nullable=False),
        sa.Column("wrapped_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "generation", name=op.f("pk_data_keys")),
    )
    op.add_column(
        "subject_keys", sa.Column("generation", sa.Integer(), nullable=False, server_default="0")
    )
    with op.batch_alter_table("webhook_secrets") as batch:
        batch.alter_column(
            "secret", existing_type=sa.String(100), type_=sa.String(200), existing_nullable=False
        )


def downgrade() -> None:
    connection = op.get_bind()
    keys = connection.scalar(sa.text("SELECT count(*) FROM data_keys"))
    persons = connection.scalar(sa.text("SELECT count(*) FROM subject_keys"))
    if keys and persons:
        raise CommandError(
            "write_0052 cannot be taken back: the keys of personal data would be lost with it. "
            "Restore a backup from before"
        )
    # The column of secrets keeps its length, as those that are sealed stay so.
    op.drop_column("subject_keys", "generation")
    op.drop_table("data_keys")
