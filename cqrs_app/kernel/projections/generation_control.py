"""What operators can do with the second generation of a projection: begin, compare, swap, switch
back, drop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine, Table

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.projections import digests
from cqrs_app.kernel.projections.exchange import exchange
from cqrs_app.kernel.projections.generation import SUFFIX, Generation
from cqrs_app.kernel.projections.generation_rows import change_row, generation_rows
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.projections.swap_rules import Pair
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.control import Control
from cqrs_app.kernel.subscriptions.cursors import Cursor, cursors_in
from cqrs_app.kernel.subscriptions.parking import parking_in
from cqrs_app.kernel.subscriptions.subscription import (
    GenerationOperation,
    Store,
    Subscription,
)

_NOT_ALIKE = "changed otherwise than the new rows since the comparison. Compare again."

Exchanged = Callable[[Connection, Sequence[Table]], None]
AppliedLate = Callable[[Connection, str], None]


class GenerationControl(Control):
    """Each method runs in the caller's transaction, on the read store. One that objects leaves
    everything as it is, and keeps the sentence with the generation. `exchanged` is called with the
    tables that were exchanged, `applied_late` with a projection that has applied parked events."""

    def __init__(
        self,
        subscriptions: Mapping[str, Subscription],
        codec: EventCodec,
        store: EventStore,
        vault: Vault,
        runner: ProjectionRunner,
        engines: Mapping[Store, Engine],
        exchanged: Exchanged,
        applied_late: AppliedLate,
        clock: Clock,
    ) -> None:
        generations = {each.name: each for each in runner.generations.values()}
        super().__init__({**subscriptions, **generations}, codec, store, vault, engines)
        self._runner = runner
        self._reader = reader_of(engines["read"])
        self._exchanged = exchanged
        self._applied_late = applied_late
        self._zone = codec.zone.key
        self._clock = clock

    def attach(self) -> None:
        """Let subscriptions that control others use it."""
        for subscription in self._subscriptions.values():
            subscription.attach(self)

    def release(self, connection: Connection, name: str, stream: str) -> int:
        done = super().release(connection, name, stream)
        # Events of other streams may have changed the same rows before these.
        if done and name in self._runner.generations:
            self._applied_late(connection, name)
        return done

    def pair(self, connection: Connection, name: str) -> Pair:
        """The two generations of a projection, as they are now."""
        generation = self._runner.generations[name]
        cursors = cursors_in("read").read(connection, [name, generation.name])
        row = generation_rows(connection).get(name)
        return Pair(name, generation.version, cursors[name], cursors.get(generation.name), row)

    def objection(self, operation: GenerationOperation, name: str, accepted: int) -> str | None:
        """Why this cannot be done now, as a sentence; None if it can."""
        with self._reader.connect() as connection:
            return self.pair(connection, name).objection_to(operation, accepted, self._clock())

    def begin_beside(self, connection: Connection, name: str) -> None:
        if self._may("begin", connection, name):
            self._runner.generations[name].begin(connection, self._zone, self._clock())

    def compare(self, connection: Connection, name: str) -> None:
        """Have the new rows compared with the live ones again."""
        if self._may("compare", connection, name):
            change_row(connection, name, comparing=True)

    def swap(self, connection: Connection, name: str, accepted: int) -> None:
        self._lock(connection, name)
        if not self._may("swap", connection, name, accepted):
            return
        live, second = self._at_one_position(connection, name)
        row, generation = generation_rows(connection)[name], self._runner.generations[name]
        # Events since the comparison have changed both alike, or it is worth nothing.
        is_exact = not row.differences and live.position == second.position
        if is_exact and digests.gap(connection, generation.tables) != row.digest_gap:
            change_row(connection, name, problem=f"{name} {_NOT_ALIKE}", compared_at=None)
            return
        self._exchange(connection, generation, live, second)
        change_row(connection, name, role="previous", swapped_at=self._clock())

    def back(self, connection: Connection, name: str) -> None:
        """Swap again: the rows before are live again. To swap once more, they have to be compared
        again."""
        self._lock(connection, name)
        if self._may("back", connection, name):
            live, second = self._at_one_position(connection, name)
            self._exchange(connection, self._runner.generations[name], live, second)
            change_row(connection, name, role="next", compared_at=None)

    def drop(self, connection: Connection, name: str) -> None:
        self._runner.generations[name].drop(connection)

    def _may(
        self, operation: GenerationOperation, connection: Connection, name: str, accepted: int = 0
    ) -> bool:
        pair = self.pair(connection, name)
        problem = pair.objection_to(operation, accepted, self._clock())
        change_row(connection, name, problem=problem)
        return problem is None

    def _lock(self, connection: Connection, name: str) -> None:
        """Nobody moves either cursor until the transaction ends."""
        for each in (name, self._runner.generations[name].name):
            cursors_in("read").lock(connection, each)

    def _at_one_position(self, connection: Connection, name: str) -> tuple[Cursor, Cursor]:
        """The cursors, once the rows beside have caught up with the live ones. They are further
        only if this release does not update the live ones."""
        live = cursors_in("read").read(connection, [name])[name]
        generation = self._runner.generations[name]
        return live, self._runner.catch_up(connection, generation, live.position)

    def _exchange(
        self, connection: Connection, generation: Generation, live: Cursor, second: Cursor
    ) -> None:
        projection = generation.projection
        # Readers wait from within exchange on, so what may take long comes before it.
        cursors_in("read").exchange(connection, live, second)
        parking_in("read").exchange(connection, projection.name, generation.name)
        digests.exchange(connection, generation.tables)
        with projection.extras_exchanged(connection, SUFFIX):
            exchange(connection, [table.name for table in projection.tables])
        self._exchanged(connection, projection.tables)
