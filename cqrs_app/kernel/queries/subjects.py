"""Which queries are about one thing: those with a required field that is the identity of an
aggregate, or a stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from cqrs_app.kernel.commands.actions import Possible
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.fields import required_of
from cqrs_app.kernel.messages.messages import Query

STREAM = "stream"


def names_subject(cls: type[Query], aggregates: Iterable[type[Aggregate]]) -> bool:
    """Whether such a query is about one thing."""
    required = required_of(cls)
    return STREAM in required or any(each.identity in required for each in aggregates)


def subjects_of(query: Query, aggregates: Iterable[type[Aggregate]]) -> tuple[str, ...]:
    """The streams of what the query is about; empty for a query about no one thing."""
    required = required_of(type(query))
    named = (each.stream_for(query) for each in aggregates if each.identity in required)
    return (*named, *([getattr(query, STREAM)] if STREAM in required else ()))


def is_empty(value: Any) -> bool:
    """Whether an answer holds nothing: no value, no text, no rows, and a count or version of 0."""
    if isinstance(value, Possible):
        return value.version == 0
    if is_dataclass(value):
        return all(is_empty(getattr(value, field.name)) for field in fields(value))
    return not value
