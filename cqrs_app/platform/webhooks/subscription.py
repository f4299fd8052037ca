"""Follows the log: queues events for webhooks and carries out the changes to webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

import msgspec
from sqlalchemy import Connection, func, select

from cqrs_app.kernel.events.recorded import Recorded, StoredEvent
from cqrs_app.kernel.store.tables import events
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.webhooks import deliveries, endpoints
from cqrs_app.platform.webhooks.endpoints import HEALTHY
from cqrs_app.platform.webhooks.events import (
    EVENTS,
    WebhookAdded,
    WebhookChanged,
    WebhookPaused,
    WebhookRemoved,
    WebhookReplayRequested,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookTestRequested,
)
from cqrs_app.platform.webhooks.keyring import Keyring, forget
from cqrs_app.platform.webhooks.webhook import Webhook


class WebhookDeliveries(Subscription):
    """`sendable` are the names of the event types that may be sent to other systems, `keyring` has
    the secrets."""

    name: ClassVar[str] = "webhook_deliveries"

    def __init__(self, sendable: Sequence[str], keyring: Keyring) -> None:
        self._sendable = sendable
        self._keyring = keyring
        self._types = frozenset(sendable).union(each.__name__ for each in EVENTS)

    def wants(self, event_type: str) -> bool:
        return event_type in self._types

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        """Write what follows from these events, in order."""
        for is_webhooks, group in groupby(batch, _is_of_a_webhook):
            if is_webhooks:
                for recorded in group:
                    self._carry_out(recorded, connection)
            else:
                self._enqueue([recorded.stored for recorded in group], connection)

    def _enqueue(self, batch: Sequence[StoredEvent], connection: Connection) -> None:
        receivers = {
            each.webhook_id: deliveries.wanted(each.event_types, self._sendable)
            for each in endpoints.active(connection)
        }
        deliveries.add(
            connection,
            (
                (webhook_id, stored)
                for stored in batch
                for webhook_id, types in receivers.items()
                if stored.type in types
            ),
        )

    def _carry_out(self, recorded: Recorded, connection: Connection) -> None:
        stored, position = recorded.stored, recorded.stored.position or 0
        match recorded.event:
            case WebhookAdded(webhook_id=webhook_id, event_types=types):
                endpoints.add(connection, webhook_id, _as_json(types))
                self._make_secret(connection, webhook_id, stored)
            case WebhookChanged(webhook_id=webhook_id, event_types=types):
                changes = {"event_types": _as_json(types), **HEALTHY}
                endpoint = endpoints.change(connection, webhook_id, **changes)
                # The types have changed, so pending deliveries are selected again.
                first = deliveries.take_back(connection, webhook_id)
                if first is not None:
                    deliveries.replay(connection, endpoint, first - 1, position)
                deliveries.retry_now(connection, webhook_id)
            case WebhookPaused(webhook_id=webhook_id):
                endpoints.change(connection, webhook_id, state="paused")
            case WebhookResumed(webhook_id=webhook_id):
                endpoints.change(connection, webhook_id, state="running", **HEALTHY)
                deliveries.retry_now(connection, webhook_id)
            case WebhookReplayRequested(webhook_id=webhook_id, after_position=after):
                endpoint = endpoints.change(connection, webhook_id, **HEALTHY)
                deliveries.replay(connection, endpoint, after, position)
                deliveries.retry_now(connection, webhook_id)
            case WebhookTestRequested(webhook_id=webhook_id):
                deliveries.add(connection, [(webhook_id, stored)], test=True)
            case WebhookSecretRotated(webhook_id=webhook_id):
                self._make_secret(connection, webhook_id, stored)
            case WebhookRemoved(webhook_id=webhook_id):
                # First, since a process that delivers now locks this row and creates secrets.
                changes = {"state": "removed", "replay_after": 0, "replay_until": 0}
                endpoints.change(connection, webhook_id, **changes)
                deliveries.drop(connection, webhook_id)
                forget(connection, webhook_id)

    def _make_secret(self, connection: Connection, webhook_id: str, stored: StoredEvent) -> None:
        # Counted in the log, since a delivery after this event may have created the secret already.
        number = select(func.count()).where(
            events.c.stream == stored.stream,
            events.c.version <= stored.version,
            events.c.type.in_((WebhookAdded.__name__, WebhookSecretRotated.__name__)),
        )
        self._keyring.make(
            connection, webhook_id, connection.execute(number).scalar_one(), stored.recorded_at
        )


def _is_of_a_webhook(recorded: Recorded) -> bool:
    return recorded.stream.startswith(f"{Webhook.category}-")


def _as_json(types: tuple[str, ...]) -> str:
    return msgspec.json.encode(types).decode()
