"""The event log in its global order, for consumers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.store.base import EVENT_FIELDS
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.runtime.commands import SEE_EVENTS
from cqrs_app.platform.runtime.status import committed

LOOKED_AT = 5_000
"""Events scanned for one answer. A rare type takes more answers, but none takes long."""


@dataclass(frozen=True, slots=True)
class Feed:
    """`next` is the position to continue after, even if no event matched. `head` is the last
    committed position. On PostgreSQL its event may follow a moment later."""

    events: tuple[StoredEvent, ...]
    next: int
    head: int


@query(label="Event feed", permission=SEE_EVENTS, store="write", listed=False, personal=True)
class FollowEvents(Query):
    """The events after a position, in global order. Nothing is ever inserted before `next`."""

    after: Annotated[int, Meta(title="After position", ge=0)] = 0
    types: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...],
        Meta(title="Types", description="Empty for all.", max_length=100),
    ] = ()
    limit: Annotated[int, Meta(title="Events", ge=1, le=1_000)] = 100


def follow_events(question: FollowEvents, connection: Connection) -> Feed:
    position = events.c.position
    newest = connection.execute(select(func.coalesce(func.max(position), 0))).scalar_one()
    until = min(newest, question.after + LOOKED_AT)
    found = select(*(events.c[name] for name in EVENT_FIELDS)).where(
        position > question.after, position <= until
    )
    if question.types:
        found = found.where(events.c.type.in_(question.types))
    rows = connection.execute(found.order_by(position).limit(question.limit)).all()
    listed = tuple(StoredEvent(*row) for row in rows)
    full = len(listed) == question.limit
    last = listed[-1].position if full else max(until, question.after)
    return Feed(listed, last or question.after, committed(connection))


def unknown_types(requested: Iterable[str], known: Iterable[str]) -> str:
    """A sentence about the event types that do not exist; empty if all do."""
    known = sorted(known)
    unknown = [name for name in requested if name not in known]
    if not unknown:
        return ""
    return f"There is no event type {', '.join(unknown)}. There are: {', '.join(known)}."


def beyond_head(after: int, head: int) -> str:
    """A sentence about a position that no answer can have contained; empty if one may have."""
    if after <= head:
        return ""
    return (
        f"There is no position {after}: the log ends at {head}. It may have been restored from a "
        f"backup, or the position is of another log. To begin anew, go on after 0."
    )
