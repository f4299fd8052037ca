"""Time travel: an aggregate as it was, folded from the first events of its stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, StoredEvent
from cqrs_app.kernel.messages.notation import Notation
from cqrs_app.kernel.store import EventStore

EVENTS_PER_READ = 500
"""Events per read, to limit the memory used for a long stream."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An aggregate at a version of its stream. `last` is the event that led to it, None before the
    first. `newest` is the current version of the stream."""

    aggregate: Aggregate
    last: StoredEvent | None
    newest: int

    @property
    def version(self) -> int:
        return self.last.version if self.last else 0


class Past:
    """Any aggregate of any area at any time. Read-only. `aggregates` are keyed by category."""

    def __init__(
        self,
        aggregates: Mapping[str, type[Aggregate]],
        notation: Notation,
        codec: EventCodec,
        store: EventStore,
    ) -> None:
        self._aggregates = aggregates
        self._writers = {cls: notation.writer(cls) for cls in aggregates.values()}
        self._codec = codec
        self._store = store

    def moment(
        self, stream: str, *, version: int | None = None, at: datetime | None = None
    ) -> Moment | None:
        """The aggregate after its event `version`, or as it was `at` a time: before the first event
        that happened later.

        Without either, or for a version that does not exist yet, the current state. None if there
        is no such stream.
        """
        cls = self._aggregates.get(stream.partition("-")[0])
        head = self._store.load(stream)
        if cls is None or head is None:
            return None
        last: StoredEvent | None = None

        def passing() -> Iterator[StoredEvent]:
            nonlocal last
            until = head.version if version is None else min(version, head.version)
            for event in self._events(stream, until):
                if at is not None and event.occurred_at > at:
                    return
                last = event
                yield event

        aggregate = restore(cls, None, map(self._codec.decode, passing()))
        write = self._writers[cls]
        return Moment(write(aggregate) if write else aggregate, last, head.version)

    def events(self, stream: str, after: int, until: int) -> list[Recorded]:
        """The events of these versions, with personal values opened; only the last EVENTS_PER_READ
        of a long range."""
        return self._codec.decode_all(
            self._store.events_of(stream, max(after, until - EVENTS_PER_READ), until)
        )

    def _events(self, stream: str, until: int) -> Iterator[StoredEvent]:
        for after in range(0, until, EVENTS_PER_READ):
            yield from self._store.events_of(stream, after, min(after + EVENTS_PER_READ, until))
