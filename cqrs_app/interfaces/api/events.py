"""The event log as a feed: the same order for everyone, nothing skipped, nothing inserted later."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, request

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import tagged
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.problems import Unusable
from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent, UnreadableEvent
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.runtime.feed import FollowEvents, beyond_head, unknown_types
from cqrs_app.services import kernel

NO_TYPES = "No event type is named. Leave types out for all events."


@bp.get("/events")
def follow() -> Response:
    """The events after a position; `next` is where to continue, also if none matched."""
    asker = QueryContext(actor=reading.actor())
    kernel.queries.authorise(FollowEvents, asker)
    given: dict[str, Any] = {name: request.args[name] for name in request.args}
    if "types" in given:
        listed = ",".join(request.args.getlist("types"))
        given["types"] = [name.strip() for name in listed.split(",") if name.strip()]
        if not given["types"]:
            raise Unusable(400, "unknown_event_type", NO_TYPES)
    question = parse(FollowEvents, given, from_text=True)
    if sentence := unknown_types(question.types, kernel.registry.events):
        raise Unusable(400, "unknown_event_type", sentence)
    found = kernel.queries.ask(question, asker).value
    if sentence := beyond_head(question.after, found.head):
        raise Unusable(400, "beyond_head", sentence)
    shown = {
        "events": [described(event) for event in found.events],
        "next": found.next,
        "head": found.head,
    }
    return tagged(shown, (shown["next"], [event.hash for event in found.events]))


def described(event: StoredEvent) -> dict[str, Any]:
    """One event with its data in the newest schema of its type. An event with a damaged payload has
    no data and is marked, so that consumers can continue after it. Raises Unusable for a type
    unknown to this release, which no consumer may skip unnoticed.
    """
    try:
        decoded = kernel.registry.codec.decode(event).event
        content = {"schema": decoded.schema, "data": msgspec.to_builtins(decoded)}
    except UnreadableEvent as error:
        content = {"schema": event.schema, "data": None, "unreadable": str(error)}
    except UnknownEvent as unknown:
        sentence = f"The feed stops before position {event.position}: {unknown}"
        raise Unusable(503, "unknown_event", sentence) from None
    return {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "type": event.type,
        **content,
        "operator": event.operator,
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
    }
