"""Projections made again from the log, in a temporary SQLite database.

It does not touch the read store, whichever database that is on, and it is gone with its connection:
SQLite removes the file's name as soon as it has opened it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, StaticPool, create_engine

from cqrs_app.kernel.events.recorded import EventCodec, Recorded, StoredEvent, UnreadableEvent
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import configure
from cqrs_app.kernel.store.tables import digests
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE

BATCH = 2_000

Positions = Mapping[str, int]
Parked = Mapping[str, Collection[int]]
"""Projection -> the positions of its parked events."""


class MovedBack(Exception):
    """A projection was rebuilt, or a store restored, meanwhile. The text is a sentence."""


class Scratch:
    """Empty tables of these projections, to be filled from the log."""

    def __init__(
        self, projections: Sequence[Projection], store: EventStore, codec: EventCodec
    ) -> None:
        self._projections = projections
        self._store = store
        self._codec = codec
        self._reached = {each.name: 0 for each in projections}
        self._passed: dict[str, set[int]] = {each.name: set() for each in projections}
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect("", check_same_thread=False),
            poolclass=StaticPool,
        )
        configure(self._engine, durable=False, read_only=False, timeout=60)
        tables = [table for each in projections for table in each.tables]
        metadata = MetaData()
        for table in (*tables, digests):
            table.to_metadata(metadata)
        metadata.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def advance(self, until: Positions, parked: Parked) -> Iterator[int]:
        """Apply the events up to these positions, but for those that are parked; yields how many it
        has read since the last. Events that were parked before and are not now are applied late, as
        they were in the read store."""
        for projection in self._projections:
            name = projection.name
            released = sorted(self._passed[name] - set(parked[name]))
            self._passed[name] &= set(parked[name])
            self._take(projection, self._decoded(self._store.at_positions(released)))
            if until[name] < self._reached[name]:
                raise MovedBack(f"{name} was set back while it was compared. Compare it again.")
        last = max(until.values())
        position = min(self._reached.values())
        while position < last and (events := self._store.follow(position, BATCH)):
            position = events[-1].position or 0
            self._apply(events, until, parked)
            yield len(events)
        self._reached.update(until)

    def _apply(self, events: Sequence[StoredEvent], until: Positions, parked: Parked) -> None:
        wanted: dict[str, list[StoredEvent]] = {}
        for projection in self._projections:
            name = projection.name
            mine = [
                event
                for event in events
                if self._reached[name] < (event.position or 0) <= until[name]
                and projection.wants(event.type)
            ]
            passed = [each for each in mine if each.position in parked[name]]
            self._passed[name].update(each.position or 0 for each in passed)
            wanted[name] = [each for each in mine if each.position not in parked[name]]
        some = {event.position for mine in wanted.values() for event in mine}
        decoded = {
            each.stored.position: each
            for each in self._decoded([event for event in events if event.position in some])
        }
        for projection in self._projections:
            mine = wanted[projection.name]
            self._take(
                projection, [decoded[each.position] for each in mine if each.position in decoded]
            )

    def _decoded(self, events: Sequence[StoredEvent]) -> list[Recorded]:
        """Without those whose payload is damaged: the read store cannot hold them either."""
        try:
            return self._codec.decode_all(events)
        except UnreadableEvent:
            if len(events) == 1:
                return []
            return [found for event in events for found in self._decoded([event])]

    def _take(self, projection: Projection, events: Sequence[Recorded]) -> None:
        """Apply them, but for those that cannot be applied: in the read store they are parked, or
        were skipped."""
        if not events:
            return
        try:
            with self._engine.begin() as connection:
                rows = Rows(connection, projection.digest_key)
                projection.apply(events, rows)
                rows.flush()
        except DATABASE_TROUBLE:
            raise
        except Exception:  # noqa: BLE001 - whatever an event's method raises
            if len(events) > 1:
                for event in events:
                    self._take(projection, [event])
