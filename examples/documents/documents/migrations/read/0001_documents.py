"""The tables of documents."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "documents_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "documents_documents",
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("last_edited_by", sa.String(length=80), nullable=False),
        sa.Column("last_edited_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=20000), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_documents_documents")),
    )
    with op.batch_alter_table("documents_documents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_documents_documents_last_edited_at"), ["last_edited_at"], unique=False
        )

    op.create_table(
        "documents_edits",
        sa.Column("edit", sa.String(length=60), nullable=False),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("editor", sa.String(length=80), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("edit", name=op.f("pk_documents_edits")),
    )
    with op.batch_alter_table("documents_edits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_documents_edits_document_id"), ["document_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("documents_edits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_edits_document_id"))

    op.drop_table("documents_edits")
    with op.batch_alter_table("documents_documents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_documents_last_edited_at"))

    op.drop_table("documents_documents")
