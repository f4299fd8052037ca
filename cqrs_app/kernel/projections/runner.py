"""Brings projections up to date with the event log, exactly once in effect."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections import checkpoints, parking
from cqrs_app.kernel.projections.checkpoints import Checkpoint, Overtaken
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import EventStore

Take = Callable[[Connection, Projection, Sequence[StoredEvent]], None]


class ProjectionRunner:
    """`advanced` is told (projection, position, events, milliseconds) after each commit; `erased`
    is called after one that took somebody's values out of the rows."""

    def __init__(
        self,
        registry: Registry,
        store: EventStore,
        read: Engine,
        vault: Vault,
        *,
        batch: int,
        advanced: Callable[[str, int, int, float], None],
        erased: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry
        self._store = store
        self._read = read
        self._vault = vault
        self._batch = batch
        self._advanced = advanced
        self._erased = erased
        self._clock = clock

    def prepare(self) -> None:
        """A checkpoint for every projection."""
        with self._read.begin() as connection:
            versions = {name: each.version for name, each in self._registry.projections.items()}
            checkpoints.ensure(connection, versions)

    def advance(self, name: str) -> int:
        """Take in all events there are for one projection; returns how many.

        Safe to call from anywhere at any time: a second runner waits, then finds nothing to do.
        """
        self._store.place()
        taken = 0
        while True:
            try:
                count = self._step(self._registry.projections[name])
            except Overtaken:
                continue
            taken += count
            if count < self._batch:
                return taken

    def behind(self) -> list[str]:
        """The running projections that have not seen every committed event."""
        head = self._store.head()
        with self._read.connect() as connection:
            found = checkpoints.read(connection, self._registry.projections)
        return [
            name
            for name, each in found.items()
            if each.position < head and each.state in ("running", "failed")
        ]

    def rebuild(self, name: str, progress: Callable[[int, int], None]) -> int:
        """Replay the whole log into emptied tables, in one transaction, and return the events.

        Readers see the old rows until it commits. `progress` is told (events done, events in
        all).
        """
        projection = self._registry.projections[name]
        self._store.place()
        total, taken, position = self._store.head(), 0, 0
        with self._read.begin() as connection:
            checkpoint = checkpoints.lock(connection, name)
            if checkpoint is None:
                raise LookupError(f"The projection {name} has no checkpoint yet.")
            parking.forget(connection, name)
            with projection.refilled(connection):
                while events := self._store.follow(position, self._batch):
                    self._replay(connection, projection, events)
                    position, taken = events[-1].position or 0, taken + len(events)
                    progress(taken, max(total, taken))
            checkpoints.rebuilt(connection, name, position, projection.version, self._clock())
        self._advanced(name, position, 0, 0.0)
        return taken

    def fold(self, name: str, stream: str, rows: Rows) -> None:
        """Put into `rows` what the projection would hold for one stream, from its events."""
        projection = self._registry.projections[name]
        events = (e for e in self._store.events_of(stream) if e.type in projection.handlers)
        projection.apply(self._registry.codec.decode_all(events), rows)

    def release(self, connection: Connection, name: str, stream: str) -> int:
        """Apply a stream's parked events again, in the caller's transaction; how many went in."""
        # Held until the caller commits: nobody parks behind a stream that is being released.
        checkpoints.lock(connection, name)
        # Somebody may have been erased since: a value that is gone must not come back from here.
        self._vault.forget()
        positions = parking.positions_of(connection, name, stream)
        events = self._store.at_positions(positions)
        return parking.release(connection, name, events, self._taker(name), self._told)

    def _step(self, projection: Projection) -> int:
        started = time.perf_counter()
        try:
            events = self._take_next(projection)
        except UnknownEvent as error:
            with self._read.begin() as connection:
                checkpoints.set_state(connection, projection.name, "failed", str(error))
            return 0
        if events:
            elapsed = (time.perf_counter() - started) * 1000
            self._advanced(projection.name, events[-1].position or 0, len(events), elapsed)
            if any(_erases(event, projection) for event in events):
                self._erased()
        return len(events)

    def _take_next(self, projection: Projection) -> Sequence[StoredEvent]:
        try:
            return self._transact(projection, self._take_together)
        except (*parking.DATABASE_TROUBLE, UnknownEvent, Overtaken):
            raise
        except Exception:  # noqa: BLE001 - it is raised again, and kept, one by one
            # One of them is poison: the next lines find which, and say so in its row.
            return self._transact(projection, self._take_apart)

    def _transact(self, projection: Projection, take: Take) -> Sequence[StoredEvent]:
        """The next events, once they are taken in and the checkpoint has moved."""
        with self._read.begin() as connection:
            checkpoint = checkpoints.lock(connection, projection.name)
            if checkpoint is None or checkpoint.state == "paused":
                return ()
            _require_shape(checkpoint, projection)
            events = self._store.follow(checkpoint.position, self._batch)
            if events:
                mine = self._mine(projection, events)
                take = self._take_apart if checkpoint.parked else take
                take(connection, projection, mine)
                position = events[-1].position or checkpoint.position
                checkpoints.move(connection, checkpoint, position, len(events), self._clock())
        return events

    def _mine(self, projection: Projection, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Those that the projection takes in. Raises UnknownEvent."""
        for event in events:
            if event.type not in self._registry.events:
                raise UnknownEvent(f"No event type {event.type} is known to this release.")
        return [event for event in events if event.type in projection.handlers]

    def _replay(
        self, connection: Connection, projection: Projection, events: Sequence[StoredEvent]
    ) -> None:
        """Take in a batch of a rebuild, whose transaction goes on whatever is among them."""
        mine = self._mine(projection, events)
        if not parking.parked_streams(connection, projection.name, {e.stream for e in mine}):
            try:
                with connection.begin_nested():
                    self._take_together(connection, projection, mine)
                return
            except (*parking.DATABASE_TROUBLE, UnknownEvent):
                raise
            except Exception:  # noqa: BLE001, S110 - it is raised again, and kept, one by one
                pass
        self._take_apart(connection, projection, mine)

    def _take_together(
        self, connection: Connection, projection: Projection, events: Sequence[StoredEvent]
    ) -> None:
        projection.take(connection, self._registry.codec.decode_all(events), self)

    def _taker(self, name: str) -> Callable[[Connection, StoredEvent], None]:
        projection = self._registry.projections[name]
        return lambda connection, event: self._take_together(connection, projection, [event])

    def _take_apart(
        self, connection: Connection, projection: Projection, events: Sequence[StoredEvent]
    ) -> None:
        streams = {event.stream for event in events}
        blocked = parking.parked_streams(connection, projection.name, streams)
        for event in events:
            error = None
            # Erasing waits behind nothing, so that a poison event keeps nobody's data.
            if event.stream not in blocked or _erases(event, projection):
                error = parking.apply_one(connection, event, self._taker(projection.name))
                if error is None:
                    continue
                blocked.add(event.stream)
            told = self._told(event, error) if error else None
            parking.park(connection, projection.name, event, self._clock(), told)

    def _told(self, event: StoredEvent, error: Exception) -> parking.Told:
        try:
            said = self._registry.codec.decode(event).event
        except Exception:  # noqa: BLE001 - one that cannot be decoded is what `error` is about
            said = None
        return parking.told(error, said)


def _erases(event: StoredEvent, projection: Projection) -> bool:
    return event.type == SubjectErased.__name__ and event.type in projection.handlers


def _require_shape(checkpoint: Checkpoint, projection: Projection) -> None:
    if checkpoint.version != projection.version:
        raise UnknownEvent(
            f"Its tables have shape {checkpoint.version}, this release makes shape "
            f"{projection.version}. Run: flask projections rebuild {projection.name}"
        )
