"""Webhooks: events sent to other systems, signed, in order, until they are taken."""

from __future__ import annotations

from collections.abc import Iterable

from cqrs_app.kernel.messages import Event
from cqrs_app.kernel.registry import Area, FromState
from cqrs_app.webhooks import commands, events, queries
from cqrs_app.webhooks.projections import WebhooksProjection
from cqrs_app.webhooks.rules import deliverable
from cqrs_app.webhooks.targets import Network
from cqrs_app.webhooks.webhook import Webhook


def webhooks_area(types: Iterable[type[Event]], allowed: tuple[Network, ...]) -> Area:
    """The area that sends events of these types; `allowed` are networks that may be reached
    though they are not public."""
    return Area(
        name="webhooks",
        handles={
            Webhook: {
                commands.AddWebhook: Webhook.add,
                commands.ChangeWebhook: Webhook.change,
                commands.PauseWebhook: Webhook.pause,
                commands.ResumeWebhook: Webhook.resume,
                commands.ReplayWebhook: Webhook.replay,
                commands.TestWebhook: Webhook.test,
                commands.RotateWebhookSecret: Webhook.rotate,
                commands.RemoveWebhook: Webhook.remove,
            }
        },
        events=[
            events.WebhookAdded,
            events.WebhookChanged,
            events.WebhookPaused,
            events.WebhookResumed,
            events.WebhookReplayRequested,
            events.WebhookTestRequested,
            events.WebhookSecretRotated,
            events.WebhookRemoved,
        ],
        projections=[WebhooksProjection()],
        answers={
            queries.ListWebhooks: queries.list_webhooks,
            queries.ListDeliveries: queries.list_deliveries,
            queries.GetDeliveries: queries.get_deliveries,
            queries.GetWebhookSecret: queries.get_webhook_secret,
        },
        answers_from_state={
            queries.GetWebhook: FromState(
                Webhook, lambda question: question.webhook_id, queries.get_webhook
            ),
        },
        middleware=[deliverable(names(types), allowed)],
    )


def names(types: Iterable[type[Event]]) -> tuple[str, ...]:
    """The types by name: what may be asked for, and what "all events" means."""
    return tuple(sorted(each.__name__ for each in types))
