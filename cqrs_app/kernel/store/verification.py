"""Checks the hash chain of every stream: what was changed, removed or added is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.kernel.events.recorded import FIRST_HASH, StoredEvent
from cqrs_app.kernel.store import EventStore, Head


@dataclass(frozen=True, slots=True)
class ChainReport:
    """One stream; `fault` is a sentence, or None when the chain holds."""

    stream: str
    events: int
    fault: str | None


def verify(store: EventStore) -> Iterator[ChainReport]:
    """Every stream in turn, then events whose stream has no head."""
    for stream, head, events in store.each_stream():
        yield ChainReport(stream, len(events), _fault(head, events))
    for stream in store.orphans():
        yield ChainReport(stream, 0, "it has events but no head: the head was removed")


def _fault(head: Head, events: tuple[StoredEvent, ...]) -> str | None:
    previous = FIRST_HASH
    for version, event in enumerate(events, start=1):
        if event.version != version:
            return f"version {version} is missing"
        if event.hash_after(previous) != bytes(event.hash):
            return f"version {version} ({event.type}) was changed, or the one before it was"
        previous = bytes(event.hash)
    if len(events) != head.version:
        return f"its head says {head.version} events, {len(events)} are there"
    if previous != head.hash:
        return "its head does not fit its last event"
    return None
