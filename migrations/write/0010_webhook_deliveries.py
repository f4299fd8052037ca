"""One row per event that a webhook is to get, and one cursor for all webhooks."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from cqrs_app.kernel.signing import new_secret
from cqrs_app.kernel.store import columns

revision: str = "write_0010"
down_revision: str | None = "write_0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CURSOR = "SELECT position FROM subscription_cursors WHERE subscription = 'webhook_deliveries'"
_HEALTHY = {"failures": 0, "failing_since": None, "next_attempt_at": None}
_STATES = {"WebhookPaused": "paused", "WebhookResumed": "running", "WebhookRemoved": "removed"}
_SECRETS = ("WebhookAdded", "WebhookSecretRotated")


def upgrade() -> None:
    op.rename_table("webhook_cursors", "webhook_endpoints")
    op.add_column(
        "webhook_endpoints",
        sa.Column("event_types", sa.Text(), nullable=False, server_default="[]"),
    )
    for name in ("replay_after", "replay_until"):
        op.add_column(
            "webhook_endpoints", sa.Column(name, _BIG, nullable=False, server_default="0")
        )
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.String(length=40), nullable=False),
        sa.Column("position", _BIG, autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("retry_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("webhook_id", "position", name=op.f("pk_webhook_deliveries")),
    )
    for name, indexed, condition in (
        ("ix_webhook_deliveries_test", ["webhook_id"], "test"),
        ("ix_webhook_deliveries_retry_at", ["webhook_id", "retry_at"], "retry_at IS NOT NULL"),
    ):
        only = sa.text(condition)
        op.create_index(
            name, "webhook_deliveries", indexed, postgresql_where=only, sqlite_where=only
        )
    op.execute(
        "INSERT INTO subscription_cursors (subscription, position, version, state, applied) "
        "SELECT 'webhook_deliveries', COALESCE(MAX(position), 0), 1, 'running', "
        "COALESCE(MAX(position), 0) FROM events"
    )
    _carry_over(op.get_bind())
    op.drop_column("webhook_endpoints", "position")
    op.drop_column("webhook_endpoints", "acted_version")


def _carry_over(connection: sa.Connection) -> None:
    """What a webhook has not been sent yet becomes a replay, up to where the cursor begins. What
    was asked of it and is not done yet is done here."""
    tables = sa.MetaData()
    tables.reflect(
        connection, only=["events", "webhook_endpoints", "webhook_deliveries", "webhook_secrets"]
    )
    events, endpoints = tables.tables["events"], tables.tables["webhook_endpoints"]
    found = (
        sa.select(events)
        .where(events.c.stream.startswith("webhook-"), events.c.position.is_not(None))
        .order_by(events.c.stream, events.c.version)
    )
    head = connection.execute(sa.text(_CURSOR)).scalar_one()
    for stream, group in groupby(connection.execute(found).all(), lambda event: event.stream):
        happened = list(group)
        webhook_id = stream.removeprefix("webhook-")
        mine = endpoints.c.webhook_id == webhook_id
        row = connection.execute(sa.select(endpoints).where(mine)).one_or_none()
        if row is None:
            new = {"state": "running", "failures": 0, "delivered": 0, "failed": 0}
            start = {"position": happened[0].position, "acted_version": 0}
            connection.execute(endpoints.insert().values(webhook_id=webhook_id, **new, **start))
            row = connection.execute(sa.select(endpoints).where(mine)).one()
        changes, tests = _state_of(row, happened, head)
        connection.execute(endpoints.update().where(mine).values(changes))
        if changes["state"] != "removed":
            _add_tests(connection, tables.tables["webhook_deliveries"], webhook_id, tests)
            number = sum(event.type in _SECRETS for event in happened)
            _add_secret(connection, tables.tables["webhook_secrets"], webhook_id, number)


def _state_of(row: Any, happened: Iterable[Any], head: int) -> tuple[dict[str, Any], list[Any]]:
    """What the endpoint is to hold, and the tests that are still to be sent."""
    changes: dict[str, Any] = {"state": "running"}
    after, tests = row.position, []
    for event in happened:
        payload, is_new = json.loads(event.payload), event.version > row.acted_version
        changes["state"] = _STATES.get(event.type, changes["state"])
        if event.type in ("WebhookAdded", "WebhookChanged"):
            changes["event_types"] = json.dumps(payload["event_types"])
        if is_new and event.type == "WebhookReplayRequested":
            after = min(after, payload["after_position"])
        if is_new and event.type == "WebhookTestRequested":
            tests.append(event)
        if is_new and event.type in ("WebhookChanged", "WebhookResumed", "WebhookReplayRequested"):
            changes |= _HEALTHY
    if changes["state"] != "removed" and after < head:
        changes |= {"replay_after": after, "replay_until": head}
    return changes, tests


def _add_tests(
    connection: sa.Connection, deliveries: sa.Table, webhook_id: str, tests: Iterable[Any]
) -> None:
    for event in tests:
        row = {"webhook_id": webhook_id, "position": event.position, "stream": event.stream}
        connection.execute(deliveries.insert().values(test=True, **row))


def _add_secret(connection: sa.Connection, secrets: sa.Table, webhook_id: str, number: int) -> None:
    mine = (secrets.c.webhook_id == webhook_id, secrets.c.number == number)
    if connection.execute(sa.select(secrets.c.number).where(*mine)).one_or_none() is None:
        row = {"webhook_id": webhook_id, "number": number, "secret": new_secret()}
        connection.execute(secrets.insert().values(created_at=datetime.now(UTC), **row))


def downgrade() -> None:
    for name, kind in (("position", _BIG), ("acted_version", sa.Integer())):
        op.add_column(
            "webhook_endpoints", sa.Column(name, kind, nullable=False, server_default="0")
        )
    # Back to the first event that is not sent yet; what was asked of a webhook counts as done.
    op.execute(
        f"""
        UPDATE webhook_endpoints SET
            position = coalesce(
                (SELECT min(waiting) FROM (
                    SELECT position - 1 AS waiting FROM webhook_deliveries d
                    WHERE d.webhook_id = webhook_endpoints.webhook_id AND NOT d.test
                    UNION ALL SELECT e.replay_after FROM webhook_endpoints e
                    WHERE e.webhook_id = webhook_endpoints.webhook_id
                    AND e.replay_after < e.replay_until) AS unsent),
                ({_CURSOR})),
            acted_version = coalesce(
                (SELECT count(*) FROM events WHERE stream = 'webhook-' || webhook_id
                AND events.position <= ({_CURSOR})), 0)
        """  # noqa: S608
    )
    op.execute("DELETE FROM subscription_cursors WHERE subscription = 'webhook_deliveries'")
    op.drop_table("webhook_deliveries")
    for name in ("event_types", "replay_after", "replay_until"):
        op.drop_column("webhook_endpoints", name)
    op.rename_table("webhook_endpoints", "webhook_cursors")
