"""The last messages sent to each webhook, and the answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from cqrs_app.platform.webhooks.endpoints import Endpoint
from cqrs_app.platform.webhooks.messages import Message
from cqrs_app.platform.webhooks.sending import Answer
from cqrs_app.platform.webhooks.tables import webhook_attempts

KEPT_ATTEMPTS = 50
PRUNED_EVERY = 20

_COLUMNS = webhook_attempts.c


def keep(
    connection: Connection, endpoint: Endpoint, message: Message, answer: Answer, now: datetime
) -> None:
    """Store an attempt. Now and then the oldest of this webhook are deleted."""
    connection.execute(
        insert(webhook_attempts).values(
            webhook_id=endpoint.webhook_id,
            message_id=message.id,
            type=message.type,
            position=message.position,
            status=answer.status,
            error=answer.error or None,
            duration_ms=answer.duration_ms,
            attempted_at=now,
        )
    )
    if (endpoint.delivered + endpoint.failed) % PRUNED_EVERY == 0:
        mine = _COLUMNS.webhook_id == endpoint.webhook_id
        kept = select(_COLUMNS.id).where(mine).order_by(_COLUMNS.id.desc()).limit(KEPT_ATTEMPTS)
        connection.execute(delete(webhook_attempts).where(mine, _COLUMNS.id.not_in(kept)))
