"""Queries on webhooks: their configuration, their progress, and their last attempts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, case, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.queries.freshness import head_of, lag_after
from cqrs_app.kernel.store.tables import events
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.platform.webhooks.commands import MANAGE
from cqrs_app.platform.webhooks.keyring import Keyring
from cqrs_app.platform.webhooks.read_models import webhooks
from cqrs_app.platform.webhooks.subscription import WebhookDeliveries
from cqrs_app.platform.webhooks.tables import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
)
from cqrs_app.platform.webhooks.types import WebhookId
from cqrs_app.platform.webhooks.webhook import Webhook

VIEW = Permission("webhooks.view", Role.SUPERVISOR)

MAX_COUNTED = 10_000
"""Up to how many pending events of one webhook are counted exactly."""

_endpoint, _delivery = webhook_endpoints.c, webhook_deliveries.c
_waiting = (
    select(_delivery.position)
    .where(_delivery.webhook_id == _endpoint.webhook_id)
    .order_by(_delivery.position)
    .correlate(webhook_endpoints)
)
_COUNTED = select(func.count()).select_from(_waiting.limit(MAX_COUNTED).subquery())
_FIRST = _waiting.limit(1).scalar_subquery()
_UNPREPARED = _endpoint.replay_until - _endpoint.replay_after
_REPLAYS_FIRST = (_UNPREPARED > 0) & (_FIRST.is_(None) | (_endpoint.replay_after < _FIRST))
# Each endpoint with the number of pending events and the position of the first.
_progress = (
    select(
        webhook_endpoints,
        (_COUNTED.scalar_subquery() + _UNPREPARED).label("waiting"),
        case((_REPLAYS_FIRST, _endpoint.replay_after + 1), else_=_FIRST).label("next"),
    )
    .subquery()
    .c
)
_PROGRESS = (
    select(*_progress, events.c.recorded_at)
    .outerjoin_from(_progress.next.table, events, events.c.position == _progress.next)
    .order_by(_progress.webhook_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """The configuration of a webhook. No event types means all."""

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
    """All webhooks by name; removed ones only on request."""

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
    """The current state of one webhook, or nothing."""

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
class Cursor:
    """The progress of a webhook and the state of its deliveries. The receiver has accepted every
    selected event up to `position`. `state` is running, paused or removed."""

    webhook_id: str
    position: int
    state: str
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    last_success_at: datetime | None
    delivered: int
    failed: int
    taken_by: str | None
    taken_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The progress of a webhook. `behind` counts its pending events and the events of the log that
    were not processed yet; above MAX_COUNTED, all events of the log since the first pending one.
    `waiting_since` is when that one was recorded."""

    cursor: Cursor
    behind: int
    waiting_since: datetime | None


_AS_STORED = frozenset(Cursor.__annotations__) - {"position"}


@query(label="Webhook deliveries", permission=VIEW, store="write")
class ListDeliveries(Query):
    """The progress of each webhook. One that was not processed yet is missing."""


def list_deliveries(question: ListDeliveries, connection: Connection) -> tuple[Delivery, ...]:
    return tuple(_deliveries(connection))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One message sent, or attempted. `status` is the HTTP status, None if there was no answer."""

    message_id: str
    type: str
    position: int
    status: int | None
    error: str | None
    duration_ms: float
    attempted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """`attempts` are sorted, latest first."""

    delivery: Delivery | None
    attempts: tuple[Attempt, ...]


@query(label="Deliveries of a webhook", permission=VIEW, store="write")
class GetDeliveries(Query):
    """The progress of one webhook, and its last attempts."""

    webhook_id: WebhookId
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


def get_deliveries(question: GetDeliveries, connection: Connection) -> Deliveries:
    columns = webhook_attempts.c
    found = (
        select(*(columns[name] for name in Attempt.__annotations__))
        .where(columns.webhook_id == question.webhook_id)
        .order_by(columns.id.desc())
        .limit(question.limit)
    )
    return Deliveries(
        delivery=next(_deliveries(connection, question.webhook_id), None),
        attempts=tuple(Attempt(**each._mapping) for each in connection.execute(found)),
    )


@query(label="Webhook secret", permission=MANAGE, store="write")
class GetWebhookSecret(Query):
    """The secret that signs a webhook's messages, or nothing while none has been made."""

    webhook_id: WebhookId


def get_webhook_secret(keyring: Keyring) -> Answering:
    """Answers from the sealed secrets that `keyring` opens."""

    def answer(question: GetWebhookSecret, connection: Connection) -> str | None:
        return keyring.newest(connection, question.webhook_id)

    return answer


def _deliveries(connection: Connection, webhook_id: str | None = None) -> Iterator[Delivery]:
    """One webhook, or all, ordered by name."""
    cursor = cursors_in("write").read(connection, [WebhookDeliveries.name])
    seen = cursor[WebhookDeliveries.name].position
    unseen = lag_after(connection, seen, head_of(connection))
    mine = () if webhook_id is None else (_progress.webhook_id == webhook_id,)
    for row in connection.execute(_PROGRESS.where(*mine)):
        position = seen if row.next is None else row.next - 1
        waiting = row.waiting if row.waiting < MAX_COUNTED else seen - position
        done = row.state == "removed"
        yield Delivery(
            cursor=Cursor(position=position, **{each: getattr(row, each) for each in _AS_STORED}),
            behind=0 if done else waiting + unseen.events,
            waiting_since=None if done else row.recorded_at or unseen.waiting_since,
        )
