"""What only projections support: a rebuild from the whole log, and a fold of one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent, in_order
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.subscriptions import parking
from cqrs_app.kernel.subscriptions.runner import SubscriptionRunner


class ProjectionRunner(SubscriptionRunner):
    """The runner of all subscriptions, including projections."""

    def rebuild(self, name: str, progress: Callable[[int, int], None]) -> int:
        """Replay the whole log into emptied tables, in one transaction. Returns the number of
        events.

        Readers see the old rows until it commits. `progress` is called with (events done, total
        events).
        """
        projection = self._projection(name)
        self._store.place()
        total, taken, position, last = self._store.head(), 0, 0, None
        with self._engines[projection.store].begin() as connection:
            if self._cursors(name).lock(connection, name) is None:
                raise LookupError(f"The projection {name} has no cursor yet.")
            self._parking(name).forget(connection, name)
            with projection.refilled(connection):
                while events := self._store.follow(position, self._batch):
                    self._replay(connection, projection, events)
                    position, last = events[-1].position or 0, events[-1].hash
                    taken += len(events)
                    progress(taken, max(total, taken))
            self._cursors(name).rebuilt(
                connection,
                name,
                position,
                last,
                projection.version,
                self._clock(),
                self._codec.zone.key,
            )
        return taken

    def fold(self, name: str, streams: Iterable[str], rows: Rows) -> None:
        """Add to `rows` what the projection would store for these streams, from their events."""
        projection = self._projection(name)
        events = (event for stream in streams for event in self._store.events_of(stream))
        wanted = (event for event in in_order(events) if projection.wants(event.type))
        projection.apply(self._codec.decode_all(wanted), rows)

    def _projection(self, name: str) -> Projection:
        found = self._subscriptions[name]
        if not isinstance(found, Projection):
            raise TypeError(f"The subscription {name} is no projection.")
        return found

    def _replay(
        self, connection: Connection, projection: Projection, events: Sequence[StoredEvent]
    ) -> None:
        """Apply a batch during a rebuild. An event that fails is parked, and the transaction
        continues."""
        mine = self._wanted(projection, events)
        streams = {event.stream for event in mine}
        if not self._parking(projection.name).streams(connection, projection.name, streams):
            try:
                with connection.begin_nested():
                    projection.take(self._codec.decode_all(mine), connection)
                return
            except (*parking.DATABASE_TROUBLE, UnknownEvent):
                raise
            except Exception:  # noqa: BLE001, S110 - it is raised again and recorded, one by one
                pass
        self._take_apart(connection, projection, mine)
