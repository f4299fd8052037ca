"""Builds second generations: the log is read and decoded once, for all of them together."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, Engine

from cqrs_app.kernel.events.recorded import (
    EventCodec,
    Recorded,
    StoredEvent,
    UnknownEvent,
    UnreadableEvent,
)
from cqrs_app.kernel.projections.comparison import Comparison
from cqrs_app.kernel.projections.generation import Generation
from cqrs_app.kernel.projections.generation_rows import (
    GenerationRow,
    change_row,
    free,
    generation_rows,
    record_work,
    release_lease,
    take_lease,
)
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.cursors import Cursor, cursors_in
from cqrs_app.kernel.subscriptions.runner import Halted
from cqrs_app.kernel.subscriptions.subscription import Overtaken

BATCH = 2_000
"""Events per transaction: few enough that on SQLite other writers wait for a fraction of a second
only."""

LAG_EVENTS = 200
"""How far the live rows may be behind before building waits for them."""

WAITING_SECONDS = 1.0
"""The longest wait for the live rows before each transaction, so that building always goes on."""

PAUSE_SECONDS = 0.02

RENEWAL_SECONDS = 3.0


class Builder:
    """Works on the generations that are not complete, or are to be compared. Whoever calls it takes
    a lease on them; killed, another continues from the last transaction."""

    def __init__(
        self,
        runner: ProjectionRunner,
        comparison: Comparison,
        engine: Engine,
        store: EventStore,
        codec: EventCodec,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._runner = runner
        self._comparison = comparison
        self._engine = engine
        self._reader = reader_of(engine)
        self._store = store
        self._codec = codec
        self._pause = pause

    def rows(self) -> dict[str, GenerationRow]:
        """Projection -> its second generation, for those that have one."""
        with self._reader.connect() as connection:
            found = generation_rows(connection)
        return {name: row for name, row in found.items() if name in self._runner.generations}

    def unfinished(self) -> list[str]:
        """The projections whose second generation is not complete, or is to be compared."""
        return [name for name, row in self.rows().items() if row.comparing]

    def is_due(self) -> bool:
        """Whether one of them is not complete, and nobody works on it."""
        with self._reader.connect() as connection:
            return bool(free(connection))

    def work(self, seconds: float) -> bool:
        """Build and compare for so long; returns whether more remains. Does nothing while somebody
        else works on all of them."""
        unfinished = self.unfinished()
        if not unfinished:
            return False
        self._store.place()
        with self._engine.begin() as connection:
            leased = take_lease(connection, unfinished)
        deadline, mine = time.monotonic() + seconds, leased
        try:
            while mine and time.monotonic() < deadline:
                mine = self._step(mine)
        finally:
            with self._engine.begin() as connection:
                release_lease(connection, leased)
        return bool(self.unfinished())

    def _step(self, names: list[str]) -> list[str]:
        """Do one transaction's work; returns the projections that need more."""
        rows, cursors = self.rows(), self._cursors(names)
        for name in names:
            if name not in rows or self._generation(name).name not in cursors:
                return [each for each in names if each != name]
            if self._runner.outdated(cursors[self._generation(name).name], self._generation(name)):
                self._begin_again(name)
                return names
        building = [name for name in names if rows[name].built_at is None]
        if not building:
            return self._compare_first(names)
        behind = [
            name
            for name in building
            if cursors[self._generation(name).name].position < cursors[name].position
        ]
        if not behind:
            self._finish(building)
            return names
        self._wait_for_live_rows()
        try:
            self._take_next(behind, cursors)
        except Overtaken:
            pass
        except (UnknownEvent, Halted) as error:
            with self._engine.begin() as connection:
                for name in behind:
                    change_row(connection, name, problem=str(error))
            return [each for each in names if each not in behind]
        return names

    def _begin_again(self, name: str) -> None:
        """An earlier release, or one with other business days, began it."""
        with self._engine.begin() as connection:
            self._generation(name).begin(connection, self._codec.zone.key, self._runner.now())
            take_lease(connection, [name])

    def _take_next(self, names: Collection[str], cursors: Mapping[str, Cursor]) -> None:
        """Apply the next events to all of these generations that have not got them yet."""
        started = time.monotonic()
        seconds = {name: cursors[self._generation(name).name] for name in names}
        events = self._runner.ahead(min(seconds.values(), key=lambda each: each.position), BATCH)
        decoded = self._decoded(names, events)
        with self._engine.begin() as connection:
            for name, cursor in seconds.items():
                until = cursors[name].position
                mine = [each for each in events if cursor.position < (each.position or 0) <= until]
                if mine:
                    self._take(connection, self._generation(name), cursor, mine, decoded)
            record_work(connection, names, time.monotonic() - started)

    def _take(
        self,
        connection: Connection,
        generation: Generation,
        cursor: Cursor,
        events: Sequence[StoredEvent],
        decoded: Mapping[int | None, Recorded] | None,
    ) -> None:
        self._runner.move(connection, generation, cursor, events)
        wanted = self._runner.wanted(generation, events)
        ready = None if decoded is None else [decoded[each.position] for each in wanted]
        self._runner.replay(connection, generation, wanted, ready)

    def _decoded(
        self, names: Collection[str], events: Sequence[StoredEvent]
    ) -> Mapping[int | None, Recorded] | None:
        """Position -> event, for those that are wanted. None if one of them is damaged: then each
        generation reads for itself, and parks it if it wants it."""
        types = {each.type for each in events}
        wanted = {
            each for each in types if any(self._generation(name).wants(each) for name in names)
        }
        try:
            found = self._codec.decode_all(each for each in events if each.type in wanted)
        except UnreadableEvent:
            return None
        return {each.stored.position: each for each in found}

    def _finish(self, names: Collection[str]) -> None:
        """Create what is created last. Others may have created it meanwhile."""
        for name in names:
            started = time.monotonic()
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                cursors_in("read").lock(connection, self._generation(name).name)
                self._generation(name).finish(connection)
                change_row(connection, name, built_at=self._runner.now(), problem=None)
                record_work(connection, names, time.monotonic() - started)

    def _compare_first(self, names: list[str]) -> list[str]:
        renewed = time.monotonic()

        def working() -> None:
            nonlocal renewed
            if time.monotonic() - renewed > RENEWAL_SECONDS:
                renewed = time.monotonic()
                with self._engine.begin() as connection:
                    record_work(connection, names, 0.0)

        self._comparison.compare(self._generation(names[0]), working)
        return names[1:]

    def _wait_for_live_rows(self) -> None:
        """Live rows come first."""
        deadline = time.monotonic() + WAITING_SECONDS
        while time.monotonic() < deadline and self._lag() > LAG_EVENTS:
            self._pause(PAUSE_SECONDS)

    def _lag(self) -> int:
        """Of the live rows that are updated."""
        live = [
            each.position
            for name, each in self._runner.behind("read").items()
            if name in self._runner.generations and each.state == "running"
        ]
        return self._store.head() - min(live) if live else 0

    def _generation(self, name: str) -> Generation:
        return self._runner.generations[name]

    def _cursors(self, names: Collection[str]) -> dict[str, Cursor]:
        """Those of the live rows and of the generations."""
        wanted = [*names, *(self._generation(name).name for name in names)]
        with self._reader.connect() as connection:
            return cursors_in("read").read(connection, wanted)
