"""Delivers events to one webhook in the order of the log, each until it is accepted.

A delivery is deleted after the receiver has accepted its event. A killed process, a lost wake-up or
an empty Redis can therefore repeat a delivery, but never skip one.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent, UnreadableEvent
from cqrs_app.kernel.subscriptions.schedule import pause_after
from cqrs_app.platform.webhooks import attempts, deliveries, endpoints
from cqrs_app.platform.webhooks.commands import PauseWebhook
from cqrs_app.platform.webhooks.deliveries import Delivery
from cqrs_app.platform.webhooks.endpoints import (
    HEALTHY,
    Endpoint,
    EndpointLeases,
    Overtaken,
)
from cqrs_app.platform.webhooks.keyring import Keyring
from cqrs_app.platform.webhooks.messages import Message, message_of
from cqrs_app.platform.webhooks.sender import send
from cqrs_app.platform.webhooks.sending import Answer
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook

SLICE_SECONDS = 5.0
"""After this time another webhook gets its turn."""

UNREADABLE_PAUSE = timedelta(minutes=10)
"""How long a stream waits after an event that this release cannot read, before the next attempt."""

logger = logging.getLogger("countersign.webhooks")


class NotDelivered(Exception):
    """A receiver did not accept an event. It is tried again."""


class Deliverer:
    """`actor` pauses a webhook that has failed for `pause_after_hours`. `allowed` are the networks
    that may be reached although they are not public. `sendable` is what "all events" means."""

    def __init__(
        self,
        kernel: Kernel,
        *,
        actor: Actor,
        sendable: tuple[str, ...],
        allowed: tuple[Network, ...],
        pause_after_hours: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._kernel = kernel
        self._repository = Repository(kernel.store, kernel.registry.codec)
        self._leases = EndpointLeases(kernel.engines.write)
        self._keyring = Keyring(kernel.vault)
        self._allowed = allowed
        self._actor = actor
        self._sendable = sendable
        self._pause_after_hours = pause_after_hours
        self._chance = chance

    def deliver(self, webhook_id: str) -> bool:
        """Send what is due to one webhook, for some seconds at most; returns whether more is due
        now. Safe to call concurrently: a second caller finds the endpoint leased."""
        endpoint = self._leases.take(webhook_id)
        if endpoint is None:
            return False
        until = time.monotonic() + SLICE_SECONDS
        try:
            while time.monotonic() < until:
                if not self._deliver_next(endpoint):
                    return False
        except Overtaken:
            logger.warning("webhook %s: somebody else delivers by now", webhook_id)
            return False
        finally:
            self._leases.release(endpoint)
        return True

    def _deliver_next(self, taken: Endpoint) -> bool:
        """Send one message, or prepare a part of a replay; False if there is nothing to do."""
        webhook, now = self._load(taken.webhook_id), self._kernel.clock()
        with self._leases.renewed(taken) as (connection, endpoint):
            delivery = deliveries.next_test(connection, endpoint.webhook_id)
            if delivery is None and not webhook.paused and endpoint.has_rested(now):
                delivery = deliveries.next_event(connection, endpoint.webhook_id, now)
                if endpoint.replays and not (
                    delivery and delivery.position <= endpoint.replay_after
                ):
                    deliveries.fill(connection, endpoint, self._sendable)
                    return True
            if delivery is None or webhook.removed or endpoint.state == "removed":
                return False
            secrets = self._keyring.keep(connection, endpoint.webhook_id, webhook.signing(now), now)
        self._attempt(taken, delivery, webhook.url, secrets)
        return True

    def _load(self, webhook_id: str) -> Webhook:
        aggregate, _ = self._repository.load(Webhook, Webhook.stream_of(webhook_id))
        return cast(Webhook, aggregate)

    def _attempt(
        self, taken: Endpoint, delivery: Delivery, url: str, secrets: Sequence[str]
    ) -> None:
        [stored] = self._kernel.store.at_positions([delivery.position])
        try:
            message = message_of(stored, self._kernel.registry.codec)
        except (UnknownEvent, UnreadableEvent) as error:
            self._set_aside(taken, delivery, stored, str(error))
            return
        answer = self._send(stored, message, url, secrets)
        now = self._kernel.clock()
        with self._leases.renewed(taken) as (connection, endpoint):
            attempts.keep(connection, endpoint, message, answer, now)
            if answer.taken or delivery.test:
                deliveries.remove(connection, delivery)
            if delivery.test:
                return
            changes = _taken(endpoint, now) if answer.taken else self._failed(endpoint, now)
            last = {"last_status": answer.status, "last_error": answer.error or None}
            endpoints.change(connection, endpoint.webhook_id, **changes, **last)
        if not answer.taken:
            self._report(taken, stored, answer.error)
            self._pause_where_hopeless(endpoint, answer, now - changes["failing_since"])

    def _send(
        self, stored: StoredEvent, message: Message, url: str, secrets: Sequence[str]
    ) -> Answer:
        with self._kernel.tracer.outgoing("POST webhook", stored) as span:
            span.note("http.request.method", "POST")
            span.note("server.address", urlsplit(url).hostname or "")
            now = self._kernel.clock()
            more = {"traceparent": span.traceparent}
            answer = send(message, url, secrets, now, self._allowed, more)
            if answer.status is not None:
                span.note("http.response.status_code", answer.status)
            span.span.error = answer.error
        return answer

    def _set_aside(
        self, taken: Endpoint, delivery: Delivery, stored: StoredEvent, error: str
    ) -> None:
        logger.warning("webhook %s, position %d: %s", taken.webhook_id, delivery.position, error)
        message = Message(stored.id, stored.type, delivery.position, b"")
        now = self._kernel.clock()
        with self._leases.renewed(taken) as (connection, endpoint):
            attempts.keep(connection, endpoint, message, Answer(None, error, 0.0), now)
            if delivery.test:
                deliveries.remove(connection, delivery)
            else:
                deliveries.set_aside(connection, delivery, now + UNREADABLE_PAUSE)
            endpoints.change(connection, endpoint.webhook_id, failed=endpoint.failed + 1)
        self._report(taken, stored, error)

    def _report(self, taken: Endpoint, stored: StoredEvent, error: str) -> None:
        self._kernel.report(
            NotDelivered(error),
            kind="delivery",
            place=taken.webhook_id,
            subject=stored.stream,
            reference=stored.id,
        )

    def _failed(self, endpoint: Endpoint, now: datetime) -> dict[str, Any]:
        failures = endpoint.failures + 1
        return {
            "failures": failures,
            "failing_since": endpoint.failing_since or now,
            "next_attempt_at": now + pause_after(failures, self._chance()),
            "failed": endpoint.failed + 1,
        }

    def _pause_where_hopeless(
        self, endpoint: Endpoint, answer: Answer, failing_for: timedelta
    ) -> None:
        if answer.gone:
            self._pause(endpoint, "The receiver answered 410 Gone: it wants nothing more.")
        elif self._pause_after_hours and failing_for >= timedelta(hours=self._pause_after_hours):
            hours = f"{self._pause_after_hours:g} hours"
            self._pause(endpoint, f"It has failed for {hours}. The last failure: {answer.error}")

    def _pause(self, endpoint: Endpoint, reason: str) -> None:
        try:
            command = PauseWebhook(webhook_id=endpoint.webhook_id, reason=reason)
            self._kernel.commands.execute(command, Context(actor=self._actor, channel="webhooks"))
        except BusError as error:
            # It was paused in the meantime, or commands are switched off. The next failure tries
            # again.
            logger.warning("webhook %s was not paused: %s", endpoint.webhook_id, error.sentence)


def _taken(endpoint: Endpoint, now: datetime) -> dict[str, Any]:
    return {**HEALTHY, "last_success_at": now, "delivered": endpoint.delivered + 1}
