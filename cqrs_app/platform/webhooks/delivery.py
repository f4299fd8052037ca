"""Delivers events to one webhook: in the order of the log, each until it is taken.

Nothing is remembered but the cursor in the write store, which moves after the receiver has taken an
event. So a process that is killed, a lost wake-up or an empty Redis can repeat a delivery and
never leave one out.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, cast

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent
from cqrs_app.kernel.subscriptions.schedule import has_failed_too_long, pause_after
from cqrs_app.platform.webhooks.commands import PauseWebhook
from cqrs_app.platform.webhooks.cursors import Cursor, Cursors, Overtaken
from cqrs_app.platform.webhooks.events import (
    WebhookChanged,
    WebhookReplayRequested,
    WebhookResumed,
    WebhookTestRequested,
)
from cqrs_app.platform.webhooks.messages import Message, message_of
from cqrs_app.platform.webhooks.sender import Sender
from cqrs_app.platform.webhooks.sending import Answer
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook

SLICE_SECONDS = 5.0
"""After so long another webhook gets its turn."""

BATCH = 500
"""Events that nobody asked for and that are passed over together, at most."""

_AFRESH: dict[str, Any] = {"failures": 0, "failing_since": None, "next_attempt_at": None}

logger = logging.getLogger("countersign.webhooks")


class Deliverer:
    """`actor` is who pauses a webhook that has failed for `pause_after_hours`; `allowed` are the
    networks that may be reached though they are not public; `types` what "all events" means."""

    def __init__(
        self,
        kernel: Kernel,
        *,
        actor: Actor,
        types: tuple[str, ...],
        allowed: tuple[Network, ...],
        pause_after_hours: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._kernel = kernel
        self._repository = Repository(kernel.store, kernel.registry.codec)
        self._cursors = Cursors(kernel.engines.write, kernel.clock)
        self._sender = Sender(kernel.engines.write, kernel.clock, allowed)
        self._actor = actor
        self._types = types
        self._pause_after_hours = pause_after_hours
        self._chance = chance

    def deliver(self, webhook_id: str) -> bool:
        """Send what is due to one webhook, for some seconds at most; whether there is more to do
        at once. Safe to call from anywhere at any time: a second deliverer finds it taken."""
        store, stream = self._kernel.store, Webhook.stream_of(webhook_id)
        store.place()
        start = store.position_of(stream, 1)
        if start is None:
            return False
        self._cursors.begin(webhook_id, start)
        cursor = self._cursors.take(webhook_id)
        if cursor is None:
            return False
        try:
            return self._work(cursor, time.monotonic() + SLICE_SECONDS)
        except Overtaken:
            logger.warning("webhook %s: somebody else delivers by now", webhook_id)
            return False
        finally:
            self._cursors.release(cursor)

    def _work(self, cursor: Cursor, until: float) -> bool:
        while time.monotonic() < until:
            webhook, version = self._load(cursor.webhook_id)
            if cursor.acted_version < version:
                cursor = self._act(webhook, version, cursor, until)
                continue
            waiting = cursor.next_attempt_at and cursor.next_attempt_at > self._kernel.clock()
            if webhook.paused or webhook.removed or waiting:
                return False
            events = self._ahead(webhook, cursor)
            if not events:
                return False
            cursor = self._follow(webhook, cursor, events)
        return True

    def _load(self, webhook_id: str) -> tuple[Webhook, int]:
        aggregate, head = self._repository.load(Webhook, Webhook.stream_of(webhook_id))
        return cast(Webhook, aggregate), head.version

    def _act(self, webhook: Webhook, version: int, cursor: Cursor, until: float) -> Cursor:
        """Carry out what was asked of the webhook since the version last acted on, while there is
        time."""
        self._sender.prepare(webhook, cursor.webhook_id)
        stream = Webhook.stream_of(cursor.webhook_id)
        for stored in self._kernel.store.events_of(stream, cursor.acted_version, version):
            cursor = self._act_on(webhook, stored, cursor)
            if time.monotonic() >= until:
                break
        return cursor

    def _act_on(self, webhook: Webhook, stored: StoredEvent, cursor: Cursor) -> Cursor:
        # Together: the state must never be older than the version it is said to be of.
        done: dict[str, Any] = {"acted_version": stored.version, "state": webhook.state}
        attempt = None
        match self._kernel.registry.codec.decode(stored).event:
            case WebhookReplayRequested(after_position=position):
                done |= {**_AFRESH, "position": min(position, cursor.position)}
            case WebhookResumed() | WebhookChanged():
                done |= _AFRESH
            case WebhookTestRequested() if not webhook.removed:
                message = message_of(stored, self._kernel.registry.codec)
                cursor = self._cursors.save(cursor)
                answer = self._sender.send(webhook, cursor.webhook_id, message)
                attempt = self._sender.attempt(message, answer)
        return self._cursors.save(cursor, attempt, **done)

    def _ahead(self, webhook: Webhook, cursor: Cursor) -> tuple[StoredEvent, ...]:
        """The next events: one where it is to be sent, else many to pass over at once."""
        events = self._kernel.store.follow(cursor.position, 1)
        if not events or self._wanted(webhook, events[0]):
            return events
        return self._kernel.store.follow(cursor.position, BATCH)

    def _follow(self, webhook: Webhook, cursor: Cursor, events: tuple[StoredEvent, ...]) -> Cursor:
        """Pass over what nobody asked for, then deliver one event; or pass over them all."""
        wanted = next((stored for stored in events if self._wanted(webhook, stored)), None)
        if wanted is None:
            return self._cursors.save(cursor, position=events[-1].position)
        if wanted is not events[0]:
            before = events[events.index(wanted) - 1]
            cursor = self._cursors.save(cursor, position=before.position)
        else:
            cursor = self._cursors.save(cursor)
        return self._deliver(webhook, cursor, wanted)

    def _wanted(self, webhook: Webhook, stored: StoredEvent) -> bool:
        # A type this release does not know may be one of "all": it is not passed over.
        known = stored.type in self._kernel.registry.events
        return webhook.wants(stored.type) and (stored.type in self._types or not known)

    def _deliver(self, webhook: Webhook, cursor: Cursor, stored: StoredEvent) -> Cursor:
        try:
            message = message_of(stored, self._kernel.registry.codec)
        except UnknownEvent as unknown:
            message = Message(stored.id, stored.type, stored.position or 0, b"")
            return self._failed(cursor, message, Answer(None, str(unknown), 0.0))
        answer = self._sender.send(webhook, cursor.webhook_id, message)
        if not answer.taken:
            return self._failed(cursor, message, answer)
        return self._cursors.save(
            cursor,
            self._sender.attempt(message, answer),
            **_AFRESH,
            position=stored.position,
            last_status=answer.status,
            last_error=None,
            last_success_at=self._kernel.clock(),
            delivered=cursor.delivered + 1,
        )

    def _failed(self, cursor: Cursor, message: Message, answer: Answer) -> Cursor:
        now, failures = self._kernel.clock(), cursor.failures + 1
        since = cursor.failing_since or now
        cursor = self._cursors.save(
            cursor,
            self._sender.attempt(message, answer),
            failures=failures,
            failing_since=since,
            next_attempt_at=now + pause_after(failures, self._chance()),
            last_status=answer.status,
            last_error=answer.error,
            failed=cursor.failed + 1,
        )
        if answer.gone:
            self._pause(cursor, "The receiver answered 410 Gone: it wants nothing more.")
        elif has_failed_too_long(since, now, self._pause_after_hours):
            hours = f"{self._pause_after_hours:g} hours"
            self._pause(cursor, f"It has failed for {hours}. The last failure: {answer.error}")
        return cursor

    def _pause(self, cursor: Cursor, reason: str) -> None:
        try:
            command = PauseWebhook(webhook_id=cursor.webhook_id, reason=reason)
            self._kernel.commands.execute(command, Context(actor=self._actor, channel="webhooks"))
        except BusError as error:
            # Somebody paused it meanwhile, or tasks are switched off: the next failure asks again.
            logger.warning("webhook %s was not paused: %s", cursor.webhook_id, error.sentence)
