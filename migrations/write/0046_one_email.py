"""One e-mail address per operator. What is in the history of an account is carried over when the
console starts: there it is sealed."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.store import columns

revision: str = "write_0046"
down_revision: str | None = "write_0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_operators = sa.table(
    "operators",
    sa.column("name", sa.String),
    sa.column("preferences", sa.Text),
    sa.column("email_chosen", sa.String),
    sa.column("email_confirmed_at", columns.UtcDateTime()),
)
_addresses = sa.table(
    "notification_addresses",
    sa.column("operator", sa.String),
    sa.column("address", sa.String),
    sa.column("console", sa.String),
    sa.column("confirmed_at", columns.UtcDateTime()),
)


def upgrade() -> None:
    op.add_column("operators", sa.Column("email", sa.String(254)))
    op.add_column("operators", sa.Column("email_chosen", sa.String(254)))
    op.add_column("operators", sa.Column("email_confirmed_at", columns.UtcDateTime()))
    connection = op.get_bind()
    both = _operators.join(_addresses, _operators.c.name == _addresses.c.operator)
    for row in connection.execute(
        sa.select(_operators.c.preferences, _addresses).select_from(both)
    ):
        preferences = {**json.loads(row.preferences), "console": row.console}
        connection.execute(
            sa.update(_operators)
            .where(_operators.c.name == row.operator)
            .values(
                email_chosen=row.address,
                email_confirmed_at=row.confirmed_at,
                preferences=json.dumps(preferences, separators=(",", ":")),
            )
        )
    op.drop_table("notification_addresses")


def downgrade() -> None:
    op.create_table(
        "notification_addresses",
        sa.Column("operator", sa.String(100), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("console", sa.String(200), nullable=False),
        sa.Column("confirmed_at", columns.UtcDateTime()),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_notification_addresses")),
    )
    connection = op.get_bind()
    email = sa.column("email", sa.String)
    found = sa.select(_operators, email).where(
        (_operators.c.email_confirmed_at.is_not(None)) | (_operators.c.email_chosen.is_not(None))
    )
    for row in connection.execute(found).all():
        preferences = json.loads(row.preferences)
        new = {
            "operator": row.name,
            "address": row.email_chosen or row.email,
            "console": preferences.pop("console", ""),
            "confirmed_at": None if row.email and row.email_chosen else row.email_confirmed_at,
        }
        connection.execute(sa.insert(_addresses), new)
        mine = sa.update(_operators).where(_operators.c.name == row.name)
        connection.execute(mine.values(preferences=json.dumps(preferences, separators=(",", ":"))))
    for name in ("email_confirmed_at", "email_chosen", "email"):
        op.drop_column("operators", name)
