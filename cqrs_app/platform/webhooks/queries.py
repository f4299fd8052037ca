"""Webhooks as people read them: what was asked, how far each is, what came of its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.queries.lag import Lag, head_of, lag_after
from cqrs_app.platform.webhooks.commands import MANAGE
from cqrs_app.platform.webhooks.cursors import Cursor, cursor_of
from cqrs_app.platform.webhooks.read_models import webhooks
from cqrs_app.platform.webhooks.tables import webhook_attempts, webhook_cursors, webhook_secrets
from cqrs_app.platform.webhooks.types import WebhookId
from cqrs_app.platform.webhooks.webhook import Webhook

VIEW = "webhooks.view"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """What is sent where; no event type named means all."""

    webhook_id: str
    url: str
    event_types: tuple[str, ...]
    description: str
    paused: bool
    pause_reason: str
    removed: bool
    added_at: datetime
    version: int


@query(label="Webhooks", permission=VIEW, reads=("webhooks",))
class ListWebhooks(Query):
    """All webhooks by name; removed ones only when asked for."""

    removed: bool = False


def list_webhooks(question: ListWebhooks, connection: Connection) -> tuple[WebhookView, ...]:
    found = select(webhooks).order_by(webhooks.c.webhook_id)
    if not question.removed:
        found = found.where(webhooks.c.removed.is_(False))
    return tuple(
        WebhookView(
            webhook_id=row.webhook_id,
            url=row.url,
            event_types=msgspec.json.decode(row.event_types, type=tuple[str, ...]),
            description=row.description,
            paused=row.paused,
            pause_reason=row.pause_reason,
            removed=row.removed,
            added_at=row.added_at,
            version=row.applied_version,
        )
        for row in connection.execute(found)
    )


@query(label="Webhook", permission=VIEW)
class GetWebhook(Query):
    """One webhook as it stands now, or nothing."""

    webhook_id: WebhookId


def get_webhook(question: GetWebhook, webhook: Webhook, version: int) -> WebhookView | None:
    if webhook.added_at is None:
        return None
    return WebhookView(
        webhook_id=question.webhook_id,
        url=webhook.url,
        event_types=webhook.event_types,
        description=webhook.description,
        paused=webhook.paused,
        pause_reason=webhook.pause_reason,
        removed=webhook.removed,
        added_at=webhook.added_at,
        version=version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far a webhook is. `behind` counts the events of the log it has not looked at yet,
    `waiting_since` is when the first of them was recorded."""

    cursor: Cursor
    behind: int
    waiting_since: datetime | None


@query(label="Webhook deliveries", permission=VIEW, store="write")
class ListDeliveries(Query):
    """How far each webhook is; one that has not been looked at yet is missing."""


def list_deliveries(question: ListDeliveries, connection: Connection) -> tuple[Delivery, ...]:
    found = select(webhook_cursors).order_by(webhook_cursors.c.webhook_id)
    head = head_of(connection)
    return tuple(_delivery(connection, cursor_of(row), head) for row in connection.execute(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One message sent, or tried. `status` is the HTTP status, None where there was none."""

    message_id: str
    type: str
    position: int
    status: int | None
    error: str | None
    duration_ms: float
    attempted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """`attempts`: the latest first."""

    delivery: Delivery | None
    attempts: tuple[Attempt, ...]


@query(label="Deliveries of a webhook", permission=VIEW, store="write")
class GetDeliveries(Query):
    """How far one webhook is, and its last attempts."""

    webhook_id: WebhookId
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


def get_deliveries(question: GetDeliveries, connection: Connection) -> Deliveries:
    mine = webhook_cursors.c.webhook_id == question.webhook_id
    row = connection.execute(select(webhook_cursors).where(mine)).one_or_none()
    columns = webhook_attempts.c
    found = (
        select(*(columns[name] for name in Attempt.__annotations__))
        .where(columns.webhook_id == question.webhook_id)
        .order_by(columns.id.desc())
        .limit(question.limit)
    )
    return Deliveries(
        delivery=_delivery(connection, cursor_of(row), head_of(connection)) if row else None,
        attempts=tuple(Attempt(**each._mapping) for each in connection.execute(found)),
    )


@query(label="Webhook secret", permission=MANAGE, store="write")
class GetWebhookSecret(Query):
    """The secret that signs a webhook's messages, or nothing while none has been made."""

    webhook_id: WebhookId


def get_webhook_secret(question: GetWebhookSecret, connection: Connection) -> str | None:
    columns = webhook_secrets.c
    found = select(columns.secret).where(columns.webhook_id == question.webhook_id)
    secret: str | None = connection.execute(found.order_by(columns.number.desc())).scalar()
    return secret


def _delivery(connection: Connection, cursor: Cursor, head: int) -> Delivery:
    done = cursor.state == "removed"
    lag = Lag(0, None) if done else lag_after(connection, cursor.position, head)
    return Delivery(cursor=cursor, behind=lag.events, waiting_since=lag.waiting_since)
