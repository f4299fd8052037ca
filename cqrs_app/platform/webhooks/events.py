"""What happened to a webhook. No event contains a secret."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class WebhookAdded(Event):
    webhook_id: str
    url: str
    event_types: tuple[str, ...]
    description: str


@event()
class WebhookChanged(Event):
    webhook_id: str
    url: str
    event_types: tuple[str, ...]
    description: str


@event()
class WebhookPaused(Event):
    webhook_id: str
    reason: str


@event()
class WebhookResumed(Event):
    webhook_id: str


@event()
class WebhookReplayRequested(Event):
    webhook_id: str
    after_position: int


@event()
class WebhookTestRequested(Event):
    webhook_id: str


@event()
class WebhookSecretRotated(Event):
    webhook_id: str


@event()
class WebhookRemoved(Event):
    webhook_id: str


EVENTS = (
    WebhookAdded,
    WebhookChanged,
    WebhookPaused,
    WebhookResumed,
    WebhookReplayRequested,
    WebhookTestRequested,
    WebhookSecretRotated,
    WebhookRemoved,
)
