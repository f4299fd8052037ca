"""Webhooks: events sent to other systems, signed, in order, until they are taken."""

from __future__ import annotations

from collections.abc import Iterable

from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.registry import Area, FromState
from cqrs_app.platform.webhooks import commands, events, queries
from cqrs_app.platform.webhooks.projections import WebhooksProjection
from cqrs_app.platform.webhooks.rules import deliverable
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook

_UNKNOWN = {"no_such_webhook": "There is no webhook of this name, or it was removed."}
_ADDRESS = {
    "address_refused": "The address is inside a network that is not open to webhooks.",
    "unknown_event_type": "There is no event of that type.",
}


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
        refusals={
            commands.AddWebhook: _ADDRESS | {"webhook_exists": "The name was used before."},
            commands.ChangeWebhook: _UNKNOWN | _ADDRESS,
            commands.PauseWebhook: _UNKNOWN | {"already_paused": "It is paused already."},
            commands.ResumeWebhook: _UNKNOWN | {"not_paused": "It is not paused."},
            commands.ReplayWebhook: _UNKNOWN,
            commands.TestWebhook: _UNKNOWN,
            commands.RotateWebhookSecret: _UNKNOWN,
            commands.RemoveWebhook: _UNKNOWN,
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
