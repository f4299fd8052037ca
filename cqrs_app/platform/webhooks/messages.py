"""The message for a receiver: one event as JSON, with an id."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cqrs_app.kernel.events.recorded import EventCodec, StoredEvent


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same whenever this event is sent, so that receivers can ignore repetitions."""

    id: str
    type: str
    position: int
    body: bytes


def message_of(stored: StoredEvent, codec: EventCodec) -> Message:
    """The event in its newest shape. Raises UnknownEvent and UnreadableEvent."""
    body = {
        "id": stored.id,
        "type": stored.type,
        "timestamp": stored.occurred_at,
        "stream": stored.stream,
        "version": stored.version,
        "position": stored.position,
        "data": codec.decode(stored).event,
    }
    return Message(stored.id, stored.type, stored.position or 0, msgspec.json.encode(body))
