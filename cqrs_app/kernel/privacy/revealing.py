"""Opens the personal values in answers from the write store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from msgspec import structs

from cqrs_app.kernel.events.recorded import Opener, StoredEvent
from cqrs_app.kernel.store import LogEntry

T = TypeVar("T")


def revealed(value: T, opener: Opener) -> T:
    """The answer with the payloads of its events and commands opened, at any depth."""
    opener.prepare(each.payload for each in _holders(value))
    made: T = _revealed(value, opener)
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


def _revealed(value: Any, opener: Opener) -> Any:
    match value:
        case StoredEvent() | LogEntry():
            return structs.replace(value, payload=opener.open(value.payload, value.stream))
        case tuple():
            return tuple(_revealed(each, opener) for each in value)
        case _ if is_dataclass(value) and not isinstance(value, type) and any(_holders(value)):
            names = [field.name for field in fields(value)]
            return replace(value, **{n: _revealed(getattr(value, n), opener) for n in names})
    return value
