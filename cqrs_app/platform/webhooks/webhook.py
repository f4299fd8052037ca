"""A webhook: what is sent where, and what may be done with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.errors import Refused
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

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)


@dataclass
class Webhook(Aggregate):
    """`secret` counts the secrets it has had; the secrets themselves are in no event."""

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

    def add(self, command: AddWebhook) -> Iterator[Event]:
        if self.added_at is not None:
            was = "was removed; its name stays taken" if self.removed else "is there already"
            raise Refused(
                "webhook_exists",
                f"The webhook {command.webhook_id} {was}. Nothing was changed. "
                f"Choose another name.",
            )
        yield WebhookAdded(
            webhook_id=command.webhook_id,
            url=command.url,
            event_types=_distinct(command.event_types),
            description=command.description,
        )

    def change(self, command: ChangeWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        yield WebhookChanged(
            webhook_id=command.webhook_id,
            url=command.url,
            event_types=_distinct(command.event_types),
            description=command.description,
        )

    def pause(self, command: PauseWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        if self.paused:
            raise Refused(
                "already_paused",
                f"The webhook {command.webhook_id} is paused already. Nothing was changed.",
            )
        yield WebhookPaused(webhook_id=command.webhook_id, reason=command.reason)

    def resume(self, command: ResumeWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        if not self.paused:
            raise Refused(
                "not_paused",
                f"The webhook {command.webhook_id} is not paused. Nothing was changed.",
            )
        yield WebhookResumed(webhook_id=command.webhook_id)

    def replay(self, command: ReplayWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        yield WebhookReplayRequested(
            webhook_id=command.webhook_id, after_position=command.after_position
        )

    def test(self, command: TestWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        yield WebhookTestRequested(webhook_id=command.webhook_id)

    def rotate(self, command: RotateWebhookSecret) -> Iterator[Event]:
        self._require(command.webhook_id)
        yield WebhookSecretRotated(webhook_id=command.webhook_id)

    def remove(self, command: RemoveWebhook) -> Iterator[Event]:
        self._require(command.webhook_id)
        yield WebhookRemoved(webhook_id=command.webhook_id)

    @property
    def state(self) -> str:
        """running, paused or removed."""
        return "removed" if self.removed else "paused" if self.paused else "running"

    def wants(self, event_type: str) -> bool:
        """Whether it was asked for; no type named means all."""
        return not self.event_types or event_type in self.event_types

    def signing(self, now: datetime) -> tuple[int, ...]:
        """The numbers of the secrets that sign now, the newest first."""
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

    def _require(self, webhook_id: str) -> None:
        if self.added_at is None or self.removed:
            was = "was removed" if self.removed else "does not exist"
            raise Refused(
                "no_such_webhook", f"The webhook {webhook_id} {was}. Nothing was changed."
            )


def _distinct(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(types))
