"""Time travel: an aggregate, or a projection's rows, folded from the first events of a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from math import inf
from typing import Any

from cqrs_app.kernel.commands.aggregate import Aggregate, restore
from cqrs_app.kernel.events.recorded import (
    EventCodec,
    Opener,
    Recorded,
    StoredEvent,
    UnreadableEvent,
    in_order,
)
from cqrs_app.kernel.messages.notation import Notation
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.store import EventStore

EVENTS_PER_READ = 500
"""Events per read, to limit the memory used for a long stream."""
STREAMS_PER_READ = 500


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Where a replay of a stream ends: after a version, before the first event of a higher position
    (an event that has none yet counts as one), or before the first that happened later than `at`.
    Without any of them it ends with the stream."""

    version: int | None = None
    position: int | None = None
    at: datetime | None = None

    def includes(self, event: StoredEvent) -> bool:
        if self.version is not None and event.version > self.version:
            return False
        if self.position is not None and (event.position or inf) > self.position:
            return False
        return self.at is None or event.occurred_at <= self.at


WHOLE = Until()


@dataclass(frozen=True, slots=True)
class PastRows:
    """What a projection would have stored for one stream. `last` and `newest` as in Moment."""

    rows: Rows
    last: StoredEvent | None
    newest: int


class Past:
    """Any aggregate of any area, and the rows of any projection, at any time. Read-only.
    `aggregates` are keyed by category, `projections` by name."""

    def __init__(
        self,
        aggregates: Mapping[str, type[Aggregate]],
        projections: Mapping[str, Projection],
        notation: Notation,
        codec: EventCodec,
        store: EventStore,
    ) -> None:
        self._aggregates = aggregates
        self._projections = projections
        self._writers = {cls: notation.writer(cls) for cls in aggregates.values()}
        self._codec = codec
        self._store = store

    def with_opener(self, opener: Opener) -> Past:
        """The same, with personal values opened by another opener."""
        other = copy(self)
        other._codec = self._codec.with_opener(opener)
        return other

    def moment(self, stream: str, until: Until = WHOLE) -> Moment | None:
        """The aggregate as it was then; its current state for a version that does not exist yet.
        None if there is no such stream."""
        cls = self.aggregate_of(stream)
        head = self._store.load(stream)
        if cls is None or head is None:
            return None
        return self._moment(cls, self._events(stream, head.version, until), head.version)

    def moments(
        self, streams: Collection[str], until: Until = WHOLE
    ) -> Iterator[tuple[str, Moment | UnreadableEvent]]:
        """The moment of each of these streams that exists, or the damaged event that keeps it from
        being known. All their events are read at once: for streams that are short."""
        found = self._store.events_of_each(streams)
        for stream in filter(found.get, streams):
            events, cls = found[stream], self._aggregates[stream.partition("-")[0]]
            before = takewhile(until.includes, events)
            try:
                yield stream, self._moment(cls, before, events[-1].version)
            except UnreadableEvent as damaged:
                yield stream, damaged

    def _moment(self, cls: type[Aggregate], events: Iterable[StoredEvent], newest: int) -> Moment:
        last: StoredEvent | None = None

        def passing() -> Iterator[StoredEvent]:
            nonlocal last
            for event in events:
                last = event
                yield event

        aggregate = restore(cls, None, map(self._codec.decode, passing()))
        write = self._writers[cls]
        return Moment(write(aggregate) if write else aggregate, last, newest)

    def recorded(self, stream: str) -> list[Recorded]:
        """The events of a stream, in order."""
        return [self._codec.decode(each) for each in self._store.events_of(stream)]

    def recorded_of(self, streams: Collection[str]) -> dict[str, list[Recorded]]:
        """The events of each of these streams that exists, in order, by STREAMS_PER_READ streams at
        a time: for streams that are short."""
        names, found = sorted(set(streams)), dict[str, list[Recorded]]()
        for start in range(0, len(names), STREAMS_PER_READ):
            stored = self._store.events_of_each(names[start : start + STREAMS_PER_READ])
            found |= {name: self._codec.decode_all(events) for name, events in stored.items()}
        return found

    def rows(
        self, projection: str, stream: str, until: Until = WHOLE, beside: Sequence[str] = ()
    ) -> PastRows:
        """What the projection would have stored for the stream, and for the streams `beside` it by
        then. Raises UnreadableEvent where one of these events is damaged."""
        follows, rows = self._projections[projection], Rows()
        versions = self._store.versions_of([stream, *beside])
        newest = versions.get(stream, 0)
        events = list(self._events(stream, newest, until))
        then = until if until.version is None or not events else Until(position=events[-1].position)
        others = (e for each in beside for e in self._events(each, versions.get(each, 0), then))
        wanted = (event for event in in_order([*events, *others]) if follows.wants(event.type))
        follows.apply(self._codec.decode_all(wanted), rows)
        return PastRows(rows, events[-1] if events else None, newest)

    def version(self, stream: str) -> int:
        """The current version of a stream, 0 if there is none."""
        return self._store.versions_of([stream]).get(stream, 0)

    def aggregate_of(self, stream: str) -> type[Aggregate] | None:
        """The class of a stream's aggregate, None if there is none."""
        return self._aggregates.get(stream.partition("-")[0])

    def named_by(self, message: Any) -> set[str]:
        """The existing streams that a message names by the identity of their aggregate."""
        named = {
            aggregate.stream_of(identity)
            for aggregate in self._aggregates.values()
            if isinstance(identity := getattr(message, aggregate.identity, None), str)
        }
        return set(self._store.versions_of(named))

    def folds(self, name: str) -> bool:
        """Whether this is the name of a projection, whose rows can be folded."""
        return name in self._projections

    def events(self, stream: str, after: int, until: int) -> list[Recorded]:
        """The events of these versions, with personal values opened; only the last EVENTS_PER_READ
        of a long range."""
        return self._codec.decode_all(
            self._store.events_of(stream, max(after, until - EVENTS_PER_READ), until)
        )

    def _events(self, stream: str, newest: int, until: Until) -> Iterator[StoredEvent]:
        end = newest if until.version is None else min(until.version, newest)
        for after in range(0, end, EVENTS_PER_READ):
            for event in self._store.events_of(stream, after, min(after + EVENTS_PER_READ, end)):
                if not until.includes(event):
                    return
                yield event
