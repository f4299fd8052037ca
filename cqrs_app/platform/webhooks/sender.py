"""Signs a message and sends it to a webhook's address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from cqrs_app.kernel import signing
from cqrs_app.platform.webhooks import sending
from cqrs_app.platform.webhooks.keyring import Keyring
from cqrs_app.platform.webhooks.messages import Message
from cqrs_app.platform.webhooks.sending import Answer
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook

AGENT = "Countersign-Webhooks/1"


class Sender:
    """`allowed` are the networks that may be reached though they are not public."""

    def __init__(
        self, write: Engine, clock: Callable[[], datetime], allowed: tuple[Network, ...]
    ) -> None:
        self._keyring = Keyring(write, clock)
        self._clock = clock
        self._allowed = allowed

    def prepare(self, webhook: Webhook, webhook_id: str) -> list[str]:
        """Its secrets as they are to be now: new ones made, old ones forgotten."""
        numbers = () if webhook.removed else webhook.signing(self._clock())
        return self._keyring.keep(webhook_id, numbers)

    def send(self, webhook: Webhook, webhook_id: str, message: Message) -> Answer:
        """One attempt; see sending.post."""
        secrets = self.prepare(webhook, webhook_id)
        sent_at = int(self._clock().timestamp())
        headers = signing.headers(secrets, message.id, sent_at, message.body)
        headers["User-Agent"] = AGENT
        return sending.post(webhook.url, message.body, headers, self._allowed)

    def attempt(self, message: Message, answer: Answer) -> dict[str, Any]:
        """What is kept of it: a row of webhook_attempts."""
        return {
            "message_id": message.id,
            "type": message.type,
            "position": message.position,
            "status": answer.status,
            "error": answer.error or None,
            "duration_ms": answer.duration_ms,
            "attempted_at": self._clock(),
        }
