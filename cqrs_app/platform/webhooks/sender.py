"""Signs a message and sends it to the address of a webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cqrs_app.kernel import signing
from cqrs_app.platform.webhooks import sending
from cqrs_app.platform.webhooks.messages import Message
from cqrs_app.platform.webhooks.sending import Answer
from cqrs_app.platform.webhooks.targets import Network

AGENT = "Countersign-Webhooks/1"


def send(
    message: Message,
    url: str,
    secrets: Sequence[str],
    now: datetime,
    allowed: tuple[Network, ...],
    more: Mapping[str, str],
) -> Answer:
    """One attempt, with `more` headers: see sending.post."""
    headers = signing.headers(secrets, message.id, int(now.timestamp()), message.body)
    return sending.post(url, message.body, {**headers, "User-Agent": AGENT, **more}, allowed)
