"""Time travel: an aggregate as it was, folded from the first events of its stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, StoredEvent
from cqrs_app.kernel.store import EventStore

READ_AT_ONCE = 500
"""Events of a long stream are read in pieces, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An aggregate at a version of its stream; `last` is the event that led to it, None before the
    first. `newest` is the version of the stream now."""

    aggregate: Aggregate
    last: StoredEvent | None
    newest: int

    @property
    def version(self) -> int:
        return self.last.version if self.last else 0


class Past:
    """Any aggregate of any area at any time. Reads only. `aggregates` go by category."""

    def __init__(
        self, aggregates: Mapping[str, type[Aggregate]], codec: EventCodec, store: EventStore
    ) -> None:
        self._aggregates = aggregates
        self._codec = codec
        self._store = store

    def moment(
        self, stream: str, *, version: int | None = None, at: datetime | None = None
    ) -> Moment | None:
        """The aggregate after its event `version`, or as it was `at` a time: before the first event
        that happened later. Without either, as it is now; a version that is not there yet is the
        newest. None where there is no such stream."""
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
        return Moment(aggregate, last, head.version)

    def events(self, stream: str, after: int, until: int) -> list[Recorded]:
        """The events of these versions, personal values opened: the last ones of a long stretch."""
        return self._codec.decode_all(
            self._store.events_of(stream, max(after, until - READ_AT_ONCE), until)
        )

    def _events(self, stream: str, until: int) -> Iterator[StoredEvent]:
        for after in range(0, until, READ_AT_ONCE):
            yield from self._store.events_of(stream, after, min(after + READ_AT_ONCE, until))
