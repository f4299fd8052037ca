"""Projections that are up to date with every commit: their rows are written in the transaction that
writes the events, so read and write store have to be one database."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import Connection, Engine

from cqrs_app.kernel.events.recorded import StoredEvent, UnknownEvent
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.kernel.subscriptions.runner import Halted, erases

MOST_EVENTS = 1_000
"""A projection that is further behind is left to the workers."""


class NotOneDatabase(ValueError):
    """A projection is declared synchronous, but the stores are two databases."""


def follower_of(
    projections: Iterable[Projection],
    runner: ProjectionRunner,
    advanced: Callable[[str], None],
    *,
    write: Engine,
    read: Engine,
) -> SynchronousProjections | None:
    """What the event store has to call, if any of these are to be synchronous. `advanced` is called
    with the name of each that may have advanced, after the commit. Raises NotOneDatabase."""
    named = list(projections)
    if not named:
        return None
    if write.url != read.url:
        names = ", ".join(each.name for each in named)
        raise NotOneDatabase(
            f"Synchronous projections ({names}) need the read models in the database of the events."
        )
    return SynchronousProjections(named, runner, advanced)


class SynchronousProjections:
    """The event store calls it. Workers find nothing left to do, or do what is left to them: see
    `ProjectionRunner.advance`."""

    def __init__(
        self,
        projections: Sequence[Projection],
        runner: ProjectionRunner,
        advanced: Callable[[str], None],
    ) -> None:
        self._projections = projections
        self._runner = runner
        self._advanced = advanced

    def want(self, events: Iterable[StoredEvent]) -> bool:
        types = {event.type for event in events}
        return any(each.wants(name) for each in self._projections for name in types)

    def take(self, connection: Connection, events: Iterable[StoredEvent]) -> None:
        """Apply what has a position, in the transaction that has written `events`."""
        types = {event.type for event in events}
        for projection in self._projections:
            if any(map(projection.wants, types)):
                self._advance(projection, connection)

    def committed(self, events: Iterable[StoredEvent]) -> None:
        """Called after the commit."""
        events = list(events)
        self.committed_types({event.type for event in events})
        if any(erases(event, each) for event in events for each in self._projections):
            self._runner.forget_answers()

    def committed_types(self, types: Collection[str]) -> None:
        """Likewise, where only the types that events may have had are known."""
        for projection in self._projections:
            if any(map(projection.wants, types)):
                self._advanced(projection.name)

    def _advance(self, projection: Projection, connection: Connection) -> None:
        """One that is paused, stopped or far behind is left as it is."""
        started = time.time_ns()
        cursor = cursors_in(projection.store).lock(connection, projection.name)
        if cursor is None or cursor.state != "running":
            return
        if self._runner.outdated(cursor, projection):
            return
        try:
            events = self._runner.ahead(cursor, MOST_EVENTS + 1, connection)
            wanted = self._runner.wanted(projection, events)
        except (Halted, UnknownEvent):
            return  # which a worker meets too, and reports
        if 0 < len(events) <= MOST_EVENTS:
            self._runner.move(connection, projection, cursor, events)
            self._runner.replay(connection, projection, wanted)
            self._runner.trace(projection, events, started)
