"""The commands on webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.webhooks.targets import unusable
from cqrs_app.platform.webhooks.types import (
    Address,
    Description,
    EventTypes,
    Position,
    Reason,
    WebhookId,
)

MANAGE = Permission("webhooks.manage", Role.ADMIN)


@command(label="Add webhook", permission=MANAGE)
class AddWebhook(Command):
    """Send events to another system from now on."""

    webhook_id: WebhookId
    url: Address
    event_types: EventTypes = ()
    description: Description = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from unusable(self.url)


@command(label="Change webhook", permission=MANAGE, minds_version=True)
class ChangeWebhook(Command):
    """Change the address or the event types, from the current position on."""

    webhook_id: WebhookId
    url: Address
    event_types: EventTypes = ()
    description: Description = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from unusable(self.url)


@command(label="Pause webhook", permission=MANAGE)
class PauseWebhook(Command):
    """Send nothing until it is resumed. Events that happen meanwhile are sent then."""

    webhook_id: WebhookId
    reason: Reason

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.reason.strip():
            yield "reason", NEEDED


@command(label="Resume webhook", permission=MANAGE)
class ResumeWebhook(Command):
    """Continue at once, with the event after the last one that was delivered."""

    webhook_id: WebhookId


@command(label="Replay webhook", permission=MANAGE, risky=True)
class ReplayWebhook(Command):
    """Send earlier events again, with the same ids. No event can be skipped this way: a position
    that the webhook has not reached changes nothing."""

    webhook_id: WebhookId
    after_position: Position


@command(label="Test webhook", permission=MANAGE)
class TestWebhook(Command):
    """Send one test message now, even while the webhook is paused. It is not tried again."""

    __test__ = False  # not a test case, despite its name

    webhook_id: WebhookId


@command(label="Rotate webhook secret", permission=MANAGE, risky=True)
class RotateWebhookSecret(Command):
    """Sign with a new secret. For 24 hours messages carry a signature of the old one too."""

    webhook_id: WebhookId


@command(label="Remove webhook", permission=MANAGE, minds_version=True, risky=True)
class RemoveWebhook(Command):
    """Stop sending and delete the secret. The name cannot be used again."""

    webhook_id: WebhookId
