"""What only projections support: a rebuild from the whole log, a second generation of their rows,
and a fold of one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import Recorded, StoredEvent, UnknownEvent, in_order
from cqrs_app.kernel.projections.generation import Generation
from cqrs_app.kernel.projections.generation_rows import generation_rows
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.projections.snapshots import Snapshot, UnusableSnapshot
from cqrs_app.kernel.subscriptions import parking
from cqrs_app.kernel.subscriptions.cursors import Cursor, Reached, cursors_in
from cqrs_app.kernel.subscriptions.parking import parking_in
from cqrs_app.kernel.subscriptions.runner import SubscriptionRunner
from cqrs_app.kernel.subscriptions.subscription import Overtaken, Subscription


class ProjectionRunner(SubscriptionRunner):
    """The runner of all subscriptions, including projections and their second generations."""

    @cached_property
    def generations(self) -> Mapping[str, Generation]:
        """Projection -> its second generation, whether or not there is one."""
        found = self._subscriptions.items()
        return {name: Generation(each) for name, each in found if isinstance(each, Projection)}

    def advance(self, name: str) -> int:
        taken = super().advance(name)
        if name in self.generations:
            self.follow(name)
        return taken

    def pass_over(self, behind: Mapping[str, Cursor]) -> set[str]:
        """One with a second generation is left, so that advancing it brings that up to date."""
        generations = {
            self.generations[name].name: name for name in behind.keys() & self.generations
        }
        if not generations:
            # The read store is not needed for others, and may be down.
            return super().pass_over(behind)
        with self._readers["read"].connect() as connection:
            built = cursors_in("read").read(connection, generations)
        doubled = {generations[each] for each in built}
        single = {name: each for name, each in behind.items() if name not in doubled}
        return super().pass_over(single)

    def follow(self, name: str) -> None:
        """Bring the second generation of a projection up to date, if there is one."""
        while True:
            try:
                if self._step(self.generations[name]) < self._batch:
                    return
            except Overtaken:
                continue

    def fits(self, reached: Reached) -> bool:
        """Whether the rows are those that this release makes."""
        subscription = self._subscriptions[reached.projection]
        return self.outdated(reached, subscription) is None

    def rebuild(
        self, name: str, progress: Callable[[int, int], None], start: Snapshot | None = None
    ) -> int:
        """Replay the whole log, or what came after the snapshot to `start` from, into emptied
        tables, in one transaction. Returns the number of events that the rows then include.

        Readers see the old rows until it commits. `progress` is called with (events done, total
        events). Raises UnusableSnapshot, and changes nothing.
        """
        projection = self._projection(name)
        cursors = cursors_in(projection.store)
        self._store.place()
        position, last = self._start(projection, start) if start else (0, None)
        total, taken = self._store.head(), position
        with self._engines[projection.store].begin() as connection:
            if cursors.lock(connection, name) is None:
                raise LookupError(f"The projection {name} has no cursor yet.")
            parking_in(projection.store).forget(connection, name)
            with projection.refilled(connection):
                if start:
                    start.load(connection, projection)
                while events := self._store.follow(position, self._batch):
                    self.replay(connection, projection, self.wanted(projection, events))
                    position, last = events[-1].position or 0, events[-1].hash
                    taken += len(events)
                    progress(taken, max(total, taken))
            version, zone = projection.version, self._codec.zone.key
            cursors.rebuilt(connection, name, position, last, version, self._clock(), zone)
        return taken

    def _start(self, projection: Projection, snapshot: Snapshot) -> tuple[int, bytes | None]:
        """The position and the hash of the last event in a snapshot, which has to be one of this
        log."""
        engine = self._engines[projection.store]
        snapshot.check(projection, engine.dialect.name, self._codec.zone.key)
        position, last = snapshot.header.position, bytes.fromhex(snapshot.header.hash)
        if not position:
            return 0, None
        found = self._store.at_positions([position])
        if not found or found[0].hash != last:
            raise UnusableSnapshot(
                f"The snapshot of {projection.name} was taken at position {position} of another "
                "log. Nothing was changed. Rebuild from the log."
            )
        return position, last

    def fold(self, name: str, streams: Iterable[str], rows: Rows) -> None:
        """Add to `rows` what the projection would store for these streams, from their events."""
        projection = self._projection(name)
        events = (event for stream in streams for event in self._store.events_of(stream))
        wanted = (event for event in in_order(events) if projection.wants(event.type))
        projection.apply(self._codec.decode_all(wanted), rows)

    def catch_up(self, connection: Connection, generation: Generation, position: int) -> Cursor:
        """Bring a generation up to this position at least, in the caller's transaction, which must
        have locked its cursor. Returns the cursor."""
        cursors, name = cursors_in(generation.store), generation.name
        while True:
            cursor = cursors.read(connection, [name])[name]
            if cursor.position >= position:
                return cursor
            events = self.ahead(cursor, min(self._batch, position - cursor.position))
            self.move(connection, generation, cursor, events)
            self.replay(connection, generation, self.wanted(generation, events))

    def replay(
        self,
        connection: Connection,
        subscription: Subscription,
        mine: Sequence[StoredEvent],
        decoded: Sequence[Recorded] | None = None,
    ) -> None:
        """Apply events that the subscription wants. One that fails is parked, and the transaction
        continues."""
        name, streams = subscription.name, {event.stream for event in mine}
        if not parking_in(subscription.store).streams(connection, name, streams):
            try:
                with connection.begin_nested():
                    batch = self._codec.decode_all(mine) if decoded is None else decoded
                    if batch:
                        subscription.take(batch, connection)
                return
            except (*parking.DATABASE_TROUBLE, UnknownEvent):
                raise
            except Exception:  # noqa: BLE001, S110 - it is raised again and recorded, one by one
                pass
        self._take_apart(connection, subscription, mine)

    def _projection(self, name: str) -> Projection:
        found = self._subscriptions[name]
        if not isinstance(found, Projection):
            raise TypeError(f"The subscription {name} is no projection.")
        return found

    def _halt(self, subscription: Subscription, error: Exception) -> None:
        """A generation that another release feeds is left to it. While the rows that this release
        makes are built beside, the live ones say so."""
        name, state = subscription.name, "failed"
        generation = self.generations.get(name)
        cursors = cursors_in(subscription.store)
        with self._engines[subscription.store].begin() as connection:
            if isinstance(subscription, Generation) and not self._is_mine(connection, subscription):
                return
            if generation is not None and self._is_mine(connection, generation):
                state = "rebuilding"
            cursors.set_state(connection, name, state, str(error))

    def _is_mine(self, connection: Connection, generation: Generation) -> bool:
        """Whether the generation exists and this release feeds it."""
        cursor = cursors_in("read").read(connection, [generation.name]).get(generation.name)
        return cursor is not None and self.outdated(cursor, generation) is None

    def _forget_person(self, subscription: Subscription) -> None:
        """Rows that this release cannot update may keep nothing of an erased person either."""
        super()._forget_person(subscription)
        generation = self.generations.get(subscription.name)
        if generation is None:
            return
        with self._engines[generation.store].begin() as connection:
            row = generation_rows(connection).get(subscription.name)
            if row is not None and not self._is_mine(connection, generation):
                generation.drop(connection)
