"""Stored events: the envelope, the codec, the hash chain."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from cqrs_app.kernel.errors import UndeclaredEvent
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.messages.notation import AS_THEY_ARE, Notation

UTC = ZoneInfo("UTC")
FIRST_HASH = bytes(32)
"""The hash before the first event of a stream."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class StoredEvent(msgspec.Struct, frozen=True):
    """One row of the event log. `position` is None until it is assigned; times are UTC."""

    stream: str
    version: int
    type: str
    schema: int
    payload: str
    operator: str
    command_id: str
    correlation_id: str
    causation_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    hash: bytes = b""
    position: int | None = None

    @property
    def id(self) -> str:
        return event_id(self.hash)

    def hash_after(self, previous: bytes) -> bytes:
        """SHA-256 over the previous event's hash and all fields except `hash` and `position`."""
        content = msgspec.json.encode(
            (
                self.stream,
                self.version,
                self.type,
                self.schema,
                self.payload,
                self.operator,
                self.command_id,
                self.correlation_id,
                self.causation_id,
                self.occurred_at,
                self.recorded_at,
            )
        )
        return hashlib.sha256(previous + content).digest()


def event_id(hash_: bytes) -> str:
    """The id of the event with this hash, unique across consoles."""
    return f"evt_{hash_.hex()[:32]}"


def in_order(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Events of several streams in the order of the log. Those that have no position yet come
    last, each after those of its stream."""
    return sorted(events, key=lambda event: event.position or sys.maxsize)


def chained(previous: bytes, events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
    """Add the hashes: the events of one stream, in order, each hashed over the one before.
    `previous` is the hash of the stream's last event."""
    for event in events:
        previous = event.hash_after(previous)
        yield replace(event, hash=previous)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored event and the event that it decodes to."""

    event: Event
    stored: StoredEvent
    zone: ZoneInfo = UTC
    """The time zone of business days."""

    @property
    def stream(self) -> str:
        return self.stored.stream

    @property
    def version(self) -> int:
        return self.stored.version

    @property
    def occurred_at(self) -> datetime:
        return self.stored.occurred_at

    @property
    def recorded_at(self) -> datetime:
        return self.stored.recorded_at

    @property
    def day(self) -> date:
        """The business day on which it happened."""
        return self.stored.occurred_at.astimezone(self.zone).date()

    @property
    def is_history(self) -> bool:
        """Whether it happened before it was recorded: see `Context.occurred_at`."""
        return self.occurred_at != self.recorded_at


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An aggregate's state at a version, as JSON; `shape` is the class's `shape` when it was
    taken."""

    state: str
    version: int
    shape: int


class UnknownEvent(Exception):
    """This release cannot read an event's type or schema. A projection stops and never skips it."""


class UnreadableEvent(Exception):
    """The stored payload of an event is damaged. The text is a sentence without any of its
    values."""


class Opener(Protocol):
    """Opens sealed values: see vault.py."""

    def open(self, text: str, stream: str) -> str: ...

    def prepare(self, texts: Iterable[str]) -> None: ...


class EventCodec:
    """Decodes stored events into the newest shape of their types.

    `opener` opens the personal values in them; without one they stay sealed. `upcasters` maps
    (type, schema) to the function that converts such a payload to schema + 1. Decimals are returned
    in `notation`, whatever digits an earlier release stored; business days are those of `zone`.
    """

    def __init__(
        self,
        types: Iterable[type[Event]],
        upcasters: Mapping[tuple[str, int], Upcaster],
        notation: Notation = AS_THEY_ARE,
        zone: ZoneInfo = UTC,
    ) -> None:
        self._types = {cls.__name__: cls for cls in types}
        self._decoders = {name: msgspec.json.Decoder(cls) for name, cls in self._types.items()}
        self._writers = {name: notation.writer(cls) for name, cls in self._types.items()}
        self._upcasters = dict(upcasters)
        self.zone = zone
        self.opener: Opener | None = None

    def with_opener(self, opener: Opener) -> EventCodec:
        """The same with another opener."""
        other = copy(self)
        other.opener = opener
        return other

    def require(self, event: Event) -> None:
        """Raise UndeclaredEvent for a type that could not be read back."""
        if self._types.get(type(event).__name__) is not type(event):
            raise UndeclaredEvent(type(event).__name__)

    @property
    def types(self) -> Iterable[type[Event]]:
        """Every declared event type, in its newest shape."""
        return self._types.values()

    def knows(self, name: str) -> bool:
        """Whether an event of this name is declared."""
        return name in self._types

    def has_upcaster(self, name: str, schema: int) -> bool:
        """Whether there is an upcaster from this schema to the next."""
        return (name, schema) in self._upcasters

    def decode_all(self, stored: Iterable[StoredEvent]) -> list[Recorded]:
        """Decode many events with few look-ups of keys."""
        events = list(stored)
        if self.opener:
            self.opener.prepare(event.payload for event in events)
        return [self.decode(event) for event in events]

    def decode(self, stored: StoredEvent) -> Recorded:
        """Raises UnknownEvent for an undeclared type or schema, UnreadableEvent for a damaged
        payload."""
        cls = self._types.get(stored.type)
        if cls is None:
            raise UnknownEvent(f"No event type {stored.type} is known to this release.")
        text = self._opened(stored)
        try:
            if stored.schema == cls.schema:
                event = self._decoders[stored.type].decode(text)
            else:
                event = self._upcast(stored, cls, text)
            write = self._writers[stored.type]
            return Recorded(write(event) if write else event, stored, self.zone)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
            sentence = f"{stored.type}, version {stored.version} of {stored.stream}"
            raise UnreadableEvent(f"The payload of {sentence}, is damaged.") from error

    def _upcast(self, stored: StoredEvent, cls: type[Event], text: str) -> Event:
        payload = msgspec.json.decode(text)
        for schema in range(stored.schema, cls.schema):
            upcast = self._upcasters.get((stored.type, schema))
            if upcast is None:
                raise UnknownEvent(f"No way from {stored.type} schema {schema} to {schema + 1}.")
            payload = upcast(payload)
        if stored.schema > cls.schema:
            raise UnknownEvent(
                f"{stored.type} schema {stored.schema} was written by a newer release."
            )
        return msgspec.convert(payload, cls)

    def _opened(self, stored: StoredEvent) -> str:
        return self.opener.open(stored.payload, stored.stream) if self.opener else stored.payload
