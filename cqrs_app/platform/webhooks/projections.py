"""The list of webhooks and their configuration. It sends nothing, so a replay is harmless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Key, Row, Rows
from cqrs_app.platform.webhooks.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookPaused,
    WebhookRemoved,
    WebhookReplayRequested,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookTestRequested,
)
from cqrs_app.platform.webhooks.read_models import webhooks


class WebhooksProjection(Projection):
    """One row per webhook. The row of a removed one is kept."""

    name: ClassVar[str] = "webhooks"
    tables: ClassVar[tuple[Table, ...]] = (webhooks,)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        yield webhooks, (event.webhook_id,)

    def webhook_added(self, event: WebhookAdded, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            webhooks,
            webhook_id=event.webhook_id,
            **_configuration(event),
            paused=False,
            pause_reason="",
            removed=False,
            added_at=recorded.occurred_at,
            applied_version=recorded.version,
        )

    def webhook_changed(self, event: WebhookChanged, recorded: Recorded, rows: Rows) -> None:
        _row(event.webhook_id, recorded, rows).update(_configuration(event))

    def webhook_paused(self, event: WebhookPaused, recorded: Recorded, rows: Rows) -> None:
        row = _row(event.webhook_id, recorded, rows)
        row["paused"], row["pause_reason"] = True, event.reason

    def webhook_resumed(self, event: WebhookResumed, recorded: Recorded, rows: Rows) -> None:
        row = _row(event.webhook_id, recorded, rows)
        row["paused"], row["pause_reason"] = False, ""

    def webhook_removed(self, event: WebhookRemoved, recorded: Recorded, rows: Rows) -> None:
        _row(event.webhook_id, recorded, rows)["removed"] = True

    def webhook_replay_requested(
        self, event: WebhookReplayRequested, recorded: Recorded, rows: Rows
    ) -> None:
        """Only the version changes, here and in the next two: the deliverer does the work."""
        _row(event.webhook_id, recorded, rows)

    def webhook_test_requested(
        self, event: WebhookTestRequested, recorded: Recorded, rows: Rows
    ) -> None:
        """See webhook_replay_requested."""
        _row(event.webhook_id, recorded, rows)

    def webhook_secret_rotated(
        self, event: WebhookSecretRotated, recorded: Recorded, rows: Rows
    ) -> None:
        """See webhook_replay_requested."""
        _row(event.webhook_id, recorded, rows)


def _row(webhook_id: str, recorded: Recorded, rows: Rows) -> Row:
    row = rows.change(webhooks, webhook_id)
    row["applied_version"] = recorded.version
    return row


def _configuration(event: WebhookAdded | WebhookChanged) -> dict[str, Any]:
    return {
        "url": event.url,
        "event_types": msgspec.json.encode(event.event_types).decode(),
        "description": event.description,
    }
