"""Loads aggregates from their snapshots and later events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.events.recorded import FIRST_HASH, EventCodec, StoredEvent
from cqrs_app.kernel.store import EventStore, Head

NO_STREAM = Head(0, FIRST_HASH, None)


class Repository:
    """Read-only. The command bus writes."""

    def __init__(self, store: EventStore, codec: EventCodec) -> None:
        self._store = store
        self._codec = codec

    def load(self, cls: type[Aggregate], stream: str) -> tuple[Aggregate, Head]:
        """The current aggregate and its stream's head. Without a stream, a new aggregate at version
        0."""
        head = self._store.load(stream) or NO_STREAM
        return self.at(cls, stream, head), head

    def load_beside(
        self, cls: type[Aggregate], stream: str, other: str
    ) -> tuple[Aggregate, Head, int]:
        """Like `load`, with the version of another stream, in one statement."""
        found, version = self._store.load_beside(stream, other)
        head = found or NO_STREAM
        return self.at(cls, stream, head), head, version

    def at(
        self, cls: type[Aggregate], stream: str, head: Head, pending: Sequence[StoredEvent] = ()
    ) -> Aggregate:
        """The aggregate at `head`, with `pending` events applied, which are not yet written."""
        snapshot = head.snapshot
        if snapshot and snapshot.shape != cls.shape:
            snapshot = None
        after = snapshot.version if snapshot else 0
        later: Iterable[StoredEvent] = ()
        if after < head.version:
            later = self._store.events_of(stream, after, head.version)
        return restore(cls, snapshot, map(self._codec.decode, (*later, *pending)))
