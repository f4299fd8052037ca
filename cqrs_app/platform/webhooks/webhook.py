"""A webhook: its configuration and its commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.webhooks.commands import (
    AddWebhook,
    ChangeWebhook,
    PauseWebhook,
    RemoveWebhook,
    ReplayWebhook,
    ResumeWebhook,
    RotateWebhookSecret,
    TestWebhook,
)
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
from cqrs_app.platform.webhooks.rules import ADDRESS

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)


UNKNOWN = Refusal("no_such_webhook", "There is no webhook of this name, or it was removed.")
WEBHOOK_EXISTS = Refusal("webhook_exists", "The name was used before.")
ALREADY_PAUSED = Refusal("already_paused", "It is already paused.")
NOT_PAUSED = Refusal("not_paused", "It is not paused.")


@rule(UNKNOWN)
def exists(webhook: Webhook, webhook_id: str) -> None:
    if webhook.added_at is None or webhook.removed:
        was = "was removed" if webhook.removed else "does not exist"
        raise UNKNOWN.because(f"The webhook {webhook_id} {was}.")


@dataclass
class Webhook(Aggregate):
    """`secret` counts its secrets. The secrets themselves are in no event."""

    category: ClassVar[str] = "webhook"
    identity: ClassVar[str] = "webhook_id"

    url: str = ""
    event_types: tuple[str, ...] = ()
    description: str = ""
    added_at: datetime | None = None
    paused: bool = False
    pause_reason: str = ""
    removed: bool = False
    secret: int = 0
    rotated_at: datetime | None = None

    @handles(AddWebhook, refusals=[*ADDRESS, WEBHOOK_EXISTS])
    def add(self, command: AddWebhook) -> Iterator[Event]:
        if self.added_at is not None:
            was = "was removed; its name stays taken" if self.removed else "is there already"
            raise WEBHOOK_EXISTS.because(
                f"The webhook {command.webhook_id} {was}.", "Choose another name."
            )
        yield WebhookAdded(
            webhook_id=command.webhook_id,
            url=command.url,
            event_types=_distinct(command.event_types),
            description=command.description,
        )

    @handles(ChangeWebhook, when=exists, refusals=[*ADDRESS])
    def change(self, command: ChangeWebhook) -> Iterator[Event]:
        yield WebhookChanged(
            webhook_id=command.webhook_id,
            url=command.url,
            event_types=_distinct(command.event_types),
            description=command.description,
        )

    @handles(PauseWebhook, when=exists, refusals=[ALREADY_PAUSED])
    def pause(self, command: PauseWebhook) -> Iterator[Event]:
        if self.paused:
            raise ALREADY_PAUSED.because(f"The webhook {command.webhook_id} is already paused.")
        yield WebhookPaused(webhook_id=command.webhook_id, reason=command.reason)

    @handles(ResumeWebhook, when=exists, refusals=[NOT_PAUSED])
    def resume(self, command: ResumeWebhook) -> Iterator[Event]:
        if not self.paused:
            raise NOT_PAUSED.because(f"The webhook {command.webhook_id} is not paused.")
        yield WebhookResumed(webhook_id=command.webhook_id)

    @handles(ReplayWebhook, when=exists)
    def replay(self, command: ReplayWebhook) -> Iterator[Event]:
        yield WebhookReplayRequested(
            webhook_id=command.webhook_id, after_position=command.after_position
        )

    @handles(TestWebhook, when=exists)
    def test(self, command: TestWebhook) -> Iterator[Event]:
        yield WebhookTestRequested(webhook_id=command.webhook_id)

    @handles(RotateWebhookSecret, when=exists)
    def rotate(self, command: RotateWebhookSecret) -> Iterator[Event]:
        yield WebhookSecretRotated(webhook_id=command.webhook_id)

    @handles(RemoveWebhook, when=exists)
    def remove(self, command: RemoveWebhook) -> Iterator[Event]:
        yield WebhookRemoved(webhook_id=command.webhook_id)

    @property
    def state(self) -> str:
        """running, paused or removed."""
        return "removed" if self.removed else "paused" if self.paused else "running"

    def wants(self, event_type: str) -> bool:
        """Whether the type is selected. No types means all."""
        return not self.event_types or event_type in self.event_types

    def signing(self, now: datetime) -> tuple[int, ...]:
        """The numbers of the secrets that sign now, newest first."""
        changing = self.rotated_at is not None and now - self.rotated_at < OLD_SECRET_SIGNS_FOR
        return (self.secret, self.secret - 1) if changing else (self.secret,)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case WebhookAdded():
                self._configure(event)
                self.added_at, self.secret = at, 1
            case WebhookChanged():
                self._configure(event)
            case WebhookPaused():
                self.paused, self.pause_reason = True, event.reason
            case WebhookResumed():
                self.paused, self.pause_reason = False, ""
            case WebhookSecretRotated():
                self.secret += 1
                self.rotated_at = at
            case WebhookRemoved():
                self.removed = True

    def _configure(self, event: WebhookAdded | WebhookChanged) -> None:
        self.url, self.event_types = event.url, event.event_types
        self.description = event.description


def _distinct(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(types))
