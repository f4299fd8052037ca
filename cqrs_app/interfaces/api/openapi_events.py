"""Events in the OpenAPI description: as the feed returns them, and as webhooks send them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cqrs_app.interfaces.api.schemas import Components, Schema, Schemas, one_of, record, reference
from cqrs_app.kernel.messages.messages import Event

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_TIME = {"type": "string", "format": "date-time"}
_NULL = {"type": "null"}

_FEED = {
    "position": _WHOLE,
    "stream": _TEXT,
    "version": _WHOLE,
    "schema": _WHOLE,
    "operator": _TEXT,
    "command_id": _TEXT,
    "correlation_id": _TEXT,
    "causation_id": {"anyOf": [_TEXT, _NULL]},
    "occurred_at": _TIME,
    "recorded_at": _TIME,
    "unreadable": _TEXT,
}
_MESSAGE = {
    "id": _TEXT,
    "timestamp": _TIME,
    "stream": _TEXT,
    "version": _WHOLE,
    "position": _WHOLE,
}


def feed(schemas: Schemas, events: Iterable[type[Event]]) -> Schema:
    """The page of events that the feed returns, distinguished by `type`."""
    schemas.components.add(
        "FeedEntry",
        record(
            "What the entries of the feed have in common. `unreadable` says what is wrong with one "
            "whose stored payload is damaged.",
            _FEED,
            optional=("unreadable",),
        ),
    )
    variants = {}
    for event in events:
        data = {"anyOf": [schemas.of(event), _NULL]}
        variants[event.__name__] = _variant(schemas.components, "FeedEntry", event, "Entry", data)
    entry = schemas.components.add("FeedEvent", one_of("type", variants))
    page = {"events": {"type": "array", "items": entry}, "next": _WHOLE, "head": _WHOLE}
    described = "`next` is the position to go on after, `head` the last one there is."
    return schemas.components.add("FeedPage", record(described, page))


def webhooks(schemas: Schemas, events: Iterable[type[Event]]) -> dict[str, Any]:
    """The request that a webhook receives, for each event that can be sent."""
    schemas.components.add(
        "WebhookMessage", record("What the messages of webhooks have in common.", _MESSAGE)
    )
    return {event.__name__: {"post": _sent(schemas, event)} for event in events}


def _sent(schemas: Schemas, event: type[Event]) -> dict[str, Any]:
    message = _variant(schemas.components, "WebhookMessage", event, "Message", schemas.of(event))
    header = {"required": True, "schema": _TEXT}
    names = {
        "webhook-id": "The same whenever this event is sent.",
        "webhook-timestamp": "When this request was made, in seconds since 1970.",
        "webhook-signature": "One or two signatures, as Standard Webhooks has them.",
    }
    return {
        "operationId": f"webhook{event.__name__}",
        "summary": f"{event.__name__} happened",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "description": text, **header}
            for name, text in names.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": message}}},
        "responses": {
            "200": {"description": "Any 2xx: the event was taken."},
            "410": {"description": "Send nothing more: the webhook is paused."},
        },
    }


def _variant(
    components: Components, base: str, event: type[Event], suffix: str, data: Schema
) -> Schema:
    own = {"type": {"type": "string", "const": event.__name__}, "data": data}
    both = {"allOf": [reference(base), record("", own)]}
    return components.add(f"{event.__name__}{suffix}", both)
