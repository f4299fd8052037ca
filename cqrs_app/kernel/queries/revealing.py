"""Shows events and commands in answers from the write store as far as their reader may see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.queries.readers import Reader
from cqrs_app.kernel.store import LogEntry

T = TypeVar("T")


def revealed(value: T, reader: Reader) -> T:
    """The answer with its events and commands as the reader may see them, at any depth."""
    reader.prepare(each.payload for each in _holders(value))
    made: T = _revealed(value, reader)
    return made


def _holders(value: Any) -> Iterator[StoredEvent | LogEntry]:
    match value:
        case StoredEvent() | LogEntry():
            yield value
        case tuple():
            for each in value:
                yield from _holders(each)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _holders(getattr(value, field.name))


def _revealed(value: Any, reader: Reader) -> Any:
    match value:
        case StoredEvent() | LogEntry():
            return reader.shown(value)
        case tuple():
            return tuple(_revealed(each, reader) for each in value)
        case _ if is_dataclass(value) and not isinstance(value, type) and any(_holders(value)):
            names = [field.name for field in fields(value)]
            return replace(value, **{n: _revealed(getattr(value, n), reader) for n in names})
    return value
