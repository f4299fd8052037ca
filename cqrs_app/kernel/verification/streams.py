"""Verifies each stream: its hash chain, head, snapshot and positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row

from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.events.recorded import (
    FIRST_HASH,
    EventCodec,
    Snapshot,
    StoredEvent,
    UnknownEvent,
    UnreadableEvent,
)
from cqrs_app.kernel.store import EventStore, Head
from cqrs_app.kernel.store.base import head_of

UNREADABLE = (ValueError, TypeError)
"""Raised for a stored value that is not of its column's type, such as a time in SQLite that is
none."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result for one stream or one log: the number of entries checked, and `fault`, a sentence
    or None."""

    about: str
    entries: int
    fault: str | None


class StreamVerifier:
    """`aggregates` are keyed by category. Snapshots are compared with the state folded from
    events."""

    def __init__(
        self, store: EventStore, codec: EventCodec, aggregates: Mapping[str, type[Aggregate]]
    ) -> None:
        self._store = store
        self._codec = codec
        self._aggregates = aggregates

    def verify(self) -> Iterator[Report]:
        """Report on every stream, then on events whose stream has no head."""
        for row in self._store.each_stream():
            yield self._report(row)
        for stream in self._store.orphans():
            yield Report(stream, 0, "it has events but no head: the head was removed")

    def _report(self, row: Row[Any]) -> Report:
        try:
            head, events = head_of(row), self._store.events_of(row.stream)
        except UNREADABLE as error:
            return Report(row.stream, 0, f"an entry of it cannot be read: {error}")
        fault = chain_fault(head, events) or self._snapshot_fault(head.snapshot, events)
        return Report(row.stream, len(events), fault)

    def _snapshot_fault(
        self, snapshot: Snapshot | None, events: tuple[StoredEvent, ...]
    ) -> str | None:
        if snapshot is None:
            return None
        cls = self._aggregates.get(events[0].stream.partition("-")[0]) if events else None
        # A snapshot of another shape is not used anywhere.
        if cls is None or snapshot.shape != cls.shape:
            return None
        try:
            recorded = [self._codec.decode(event) for event in events[: snapshot.version]]
            folded = msgspec.json.encode(restore(cls, None, recorded)).decode()
        except (UnknownEvent, UnreadableEvent) as error:
            return f"its snapshot cannot be checked: {error}"
        if folded != snapshot.state:
            return f"its snapshot at version {snapshot.version} is not what its events lead to"
        return None


def chain_fault(head: Head, events: tuple[StoredEvent, ...]) -> str | None:
    """What is wrong with a stream of this head and these events, in order; None if nothing is."""
    previous, position = FIRST_HASH, 0
    for version, event in enumerate(events, start=1):
        if event.version != version:
            return f"version {version} is missing"
        if event.hash_after(previous) != bytes(event.hash):
            return f"version {version} ({event.type}) was changed, or the one before it was"
        if event.position is not None and event.position <= position:
            return f"version {version} has position {event.position}, before the one it follows"
        previous, position = bytes(event.hash), event.position or position
    if len(events) != head.version:
        return f"its head says {head.version} events, {len(events)} are there"
    if previous != head.hash:
        return "its head does not fit its last event"
    return None
