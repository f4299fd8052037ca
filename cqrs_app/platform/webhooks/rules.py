"""Rules that need more than the state of a webhook: existing event types, permitted networks."""

from __future__ import annotations

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Refusal
from cqrs_app.platform.webhooks.commands import AddWebhook, ChangeWebhook
from cqrs_app.platform.webhooks.targets import Forbidden, Network, refuse_literal, target_of

ADDRESS_REFUSED = Refusal(
    "address_refused", "The address is inside a network that is not open to webhooks."
)
UNKNOWN_EVENT_TYPE = Refusal("unknown_event_type", "There is no event of that type.")
ADDRESS = (ADDRESS_REFUSED, UNKNOWN_EVENT_TYPE)


def deliverable(types: tuple[str, ...], allowed: tuple[Network, ...]) -> Middleware:
    """Refuse event types that do not exist and IP addresses in networks that are not open. A host
    name is resolved and checked at every delivery."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        if isinstance(call.command, AddWebhook | ChangeWebhook):
            _known(call.command.event_types, types)
            try:
                refuse_literal(target_of(call.command.url), allowed)
            except Forbidden as forbidden:
                raise ADDRESS_REFUSED(str(forbidden)) from forbidden
        return proceed(call)

    return check


def _known(requested: tuple[str, ...], types: tuple[str, ...]) -> None:
    unknown = [name for name in requested if name not in types]
    if unknown:
        raise UNKNOWN_EVENT_TYPE.because(
            f"There is no event type {', '.join(unknown)} that is sent to webhooks.",
            f"There are: {', '.join(types)}.",
        )
