"""Webhooks: events sent to other systems, signed, in order, until they are accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.queries.answers import from_state, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.webhooks import events, queries
from cqrs_app.platform.webhooks.keyring import Keyring
from cqrs_app.platform.webhooks.projections import WebhooksProjection
from cqrs_app.platform.webhooks.rules import deliverable
from cqrs_app.platform.webhooks.subscription import WebhookDeliveries
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.webhook import Webhook


def webhooks_area(
    types: Iterable[type[Event]],
    allowed: tuple[Network, ...],
    tasks: Sequence[BackgroundTask] = (),
    vault: Vault | None = None,
) -> Area:
    """The area that sends events of these types. `allowed` are networks that may be reached
    although they are not public; `vault` seals the secrets that sign."""
    sendable, keyring = names(types), Keyring(vault)
    return Area(
        name="webhooks",
        aggregates=[Webhook],
        events=events,
        projections=[WebhooksProjection()],
        subscriptions=[WebhookDeliveries(sendable, keyring)],
        tasks=tasks,
        answers={
            queries.ListWebhooks: projected(queries.list_webhooks),
            queries.ListDeliveries: projected(queries.list_deliveries),
            queries.GetDeliveries: projected(queries.get_deliveries),
            queries.GetWebhookSecret: projected(queries.get_webhook_secret(keyring)),
            queries.GetWebhook: from_state(Webhook, queries.get_webhook),
        },
        middleware=[deliverable(sendable, allowed)],
    )


def names(types: Iterable[type[Event]]) -> tuple[str, ...]:
    """The names of the types: those that a webhook can select, and what "all events" means."""
    return tuple(sorted(each.__name__ for each in types))
