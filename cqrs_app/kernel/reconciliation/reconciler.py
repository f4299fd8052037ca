"""Compares read models with their digests and with their events, and repairs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, Table

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.events.recorded import EventCodec
from cqrs_app.kernel.projections.bulk import bulk_of
from cqrs_app.kernel.projections.digests import (
    Digest,
    Kept,
    add_to_kept,
    digest_of,
    kept,
    scanned,
    snapshot_of,
)
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.reconciliation.comparison import Difference, differences
from cqrs_app.kernel.reconciliation.records import (
    DifferingRow,
    Reconciliation,
    due,
    record,
    records,
    release_leases,
    take_leases,
)
from cqrs_app.kernel.reconciliation.scratch import Scratch
from cqrs_app.kernel.store import EventStore
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.cursors import Cursor, cursors_in
from cqrs_app.kernel.subscriptions.parking import parking_in

MOST = 10_000
"""Differing rows of one projection that are kept in memory. With more, it is rebuilt."""

SAMPLES = 100

EVENTS_PER_RUN = 1_000_000
"""How many events projections read in one run to be compared with them: a few minutes' work."""

Progress = Callable[[int], None]
"""Called with the number of events read since the last call."""


@dataclass(slots=True)
class Found:
    """One projection compared with its events at `position`. `missing` is what each kept digest
    lacks of the rows that there should be."""

    position: int
    rows: int = 0
    differences: list[Difference] = field(default_factory=list)
    count: int = 0
    drifted: list[str] = field(default_factory=list)
    missing: dict[Table, Digest] = field(default_factory=dict)
    repaired: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.count or self.missing)


class Reconciler:
    """Each method may be called by anyone at any time: comparing locks nothing."""

    def __init__(
        self,
        projections: Mapping[str, Projection],
        engine: Engine,
        store: EventStore,
        codec: EventCodec,
        clock: Clock,
    ) -> None:
        self._projections = projections
        self._engine = engine
        self._store = store
        self._codec = codec
        self._clock = clock

    def records(self) -> dict[str, Reconciliation]:
        with reader_of(self._engine).connect() as connection:
            return records(connection)

    def due(self, before: datetime | None) -> list[str]:
        """The projections to be repaired, and with `before` those last compared before then, that
        nobody compares now."""
        with reader_of(self._engine).connect() as connection:
            return due(connection, self._projections, before)

    def to_prove(self, names: Sequence[str]) -> list[str]:
        """Those of these projections whose turn it is to be compared with their events: the ones
        for which that was longest ago, so many that they read about EVENTS_PER_RUN events."""
        known, head = self.records(), max(self._store.head(), 1)

        def last(name: str) -> float:
            at = known[name].proven_at if name in known else None
            return at.timestamp() if at else 0.0

        return sorted(names, key=last)[: max(1, EVENTS_PER_RUN // head)]

    @contextmanager
    def leased(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Those of these projections that nobody else compares now. Nobody else does until the end
        of the `with` block."""
        with self._engine.begin() as connection:
            mine = take_leases(connection, names)
        try:
            yield mine
        finally:
            with self._engine.begin() as connection:
                release_leases(connection, mine)

    def compare(self, name: str) -> Reconciliation:
        """Compare a projection's rows with their digests, in one pass over each table."""
        projection, problem = self._projections[name], ""
        with snapshot_of(self._engine) as connection:
            cursor = cursors_in("read").read(connection, [name]).get(name)
            problem = self._unusable(projection, cursor)
            held = kept(connection, projection.tables)
            there = {
                table: scanned(connection, table, projection.digest_key)
                for table in projection.tables
                if not problem
            }
        drifted = []
        for table, digest in there.items():
            before = held.get(table, Kept(Digest(), complete=True))
            if not before.complete:
                self._complete(name, table, digest - before.digest)
            elif before.digest != digest:
                drifted.append(str(table.name))
        rows = sum(digest.rows for digest in there.values())
        now = self._clock()
        return self._recorded(name, compared_at=now, rows=rows, drifted=drifted, problem=problem)

    def _complete(self, name: str, table: Table, missing: Digest) -> None:
        """Count the rows of a release that kept no digests. Events tell whether they are right."""
        with self._engine.begin() as connection:
            cursors_in("read").lock(connection, name)
            if not kept(connection, [table])[table].complete:
                add_to_kept(connection, {table: missing}, complete=True)

    def prove(
        self,
        names: Sequence[str],
        progress: Progress = lambda events: None,
    ) -> dict[str, Found]:
        """Compare the rows of these projections with those that their events lead to, in one pass
        over the log. Those that cannot be compared are left out; their records say why."""
        self._store.place()
        names = [name for name in names if self._is_usable(name)]
        if not names:
            return {}
        projections = [self._projections[name] for name in names]
        scratch = Scratch(projections, self._store, self._codec)
        try:
            self._catch_up(scratch, names, reader_of(self._engine).connect, progress)
            with snapshot_of(self._engine) as live:
                positions = self._catch_up(scratch, names, lambda: _same(live), progress)
                found = {}
                with scratch.reading() as right:
                    for each in projections:
                        found[each.name] = _compared(each, live, right, positions[each.name])
        finally:
            scratch.close()
        for name, compared in found.items():
            self._record(name, compared)
        return found

    def _catch_up(
        self,
        scratch: Scratch,
        names: Sequence[str],
        connect: Callable[[], AbstractContextManager[Connection]],
        progress: Progress,
    ) -> dict[str, int]:
        with connect() as connection:
            cursors = cursors_in("read").read(connection, names)
            parked = parking_in("read").positions(connection, names)
        positions = {name: cursors[name].position for name in names}
        for events in scratch.advance(positions, parked):
            progress(events)
        return positions

    def repair(self, name: str, found: Found, only: str = "") -> Reconciliation:
        """Write the rows that there should be, except over those that have changed since they were
        compared: their projection has written them again. `only` is a value that the keys of the
        rows to repair have, such as the number of an order; empty for all."""
        if found.count > MOST:
            return self._recorded(name, repair=None)
        cursors = cursors_in("read")
        wanted = [each for each in found.differences if not only or only in map(str, each.key)]
        with self._engine.begin() as connection:
            cursors.lock(connection, name)
            for table in self._projections[name].tables:
                mine = [each for each in wanted if each.table is table]
                found.repaired += _write_right(connection, table, mine)
            if found.missing and found.repaired == found.count:
                add_to_kept(connection, found.missing, complete=True)
            cursors.repaired(connection, name)
        now, left = self._clock(), found.count - found.repaired
        values: dict[str, object] = {"repair": None, "repaired": found.repaired, "repaired_at": now}
        values |= {"differences": left}
        if not left:
            values |= {"drifted": [], "samples": []}
        return self._recorded(name, **values)

    def _record(self, name: str, found: Found) -> None:
        now = self._clock()
        values: dict[str, object] = {
            "proven_at": now,
            "proven_position": found.position,
            "compared_at": now,
            "rows": found.rows,
            "differences": found.count,
            "drifted": found.drifted,
            "samples": [_sample(each) for each in found.differences[:SAMPLES]],
            "problem": _too_many(name) if found.count > MOST else "",
        }
        self._recorded(name, **values)

    def _recorded(self, name: str, **values: object) -> Reconciliation:
        with self._engine.begin() as connection:
            record(connection, name, **values)
            return records(connection)[name]

    def _is_usable(self, name: str) -> bool:
        with reader_of(self._engine).connect() as connection:
            cursor = cursors_in("read").read(connection, [name]).get(name)
        problem = self._unusable(self._projections[name], cursor)
        if problem:
            self._recorded(name, problem=problem, repair=None)
        return not problem

    def _unusable(self, projection: Projection, cursor: Cursor | None) -> str:
        """Why the rows cannot be compared with those that this release would make."""
        if cursor is None:
            return "It has not begun yet."
        if cursor.version != projection.version:
            return f"Its tables are those of another release. Rebuild {projection.name}."
        if projection.by_day and cursor.zone != self._codec.zone.key:
            return f"Its days are those of {cursor.zone}. Rebuild {projection.name}."
        return ""


def _too_many(name: str) -> str:
    return f"More than {MOST:,} rows differ. Run: flask projections rebuild {name}"


@contextmanager
def _same(connection: Connection) -> Iterator[Connection]:
    yield connection


def _compared(projection: Projection, live: Connection, right: Connection, position: int) -> Found:
    found, key = Found(position), projection.digest_key
    held = kept(live, projection.tables)
    for table in projection.tables:
        there = wrong = correct = Digest()
        for digest, differing in differences(live, right, table, key):
            there += digest
            wrong += digest_of(key, [each.found for each in differing if each.found is not None])
            rights = [each.right for each in differing if each.right is not None]
            correct += digest_of(key, bulk_of(table, live).as_stored(rights))
            found.count += len(differing)
            found.differences += differing[: MOST - len(found.differences)]
        before = held.get(table, Kept(Digest(), complete=True))
        found.rows += there.rows
        if before.complete and before.digest != there:
            found.drifted.append(str(table.name))
        if (lacks := there - wrong + correct - before.digest) != Digest():
            found.missing[table] = lacks
    return found


def _write_right(connection: Connection, table: Table, wrong: Sequence[Difference]) -> int:
    """Write the right rows over those that have not changed since; returns how many."""
    if not wrong:
        return 0
    bulk = bulk_of(table, connection)
    there = dict.fromkeys(each.key for each in wrong)
    there |= {bulk.read(row)[0]: row for row in bulk.stored(connection, there)}
    mine = [each for each in wrong if there[each.key] == each.found]
    if mine:
        # First all that are wrong: they may have what is unique in the right ones.
        bulk.delete(connection, [each.key for each in mine])
        if rows := [each.right for each in mine if each.right is not None]:
            bulk.write(connection, rows)
    return len(mine)


def _sample(each: Difference) -> DifferingRow:
    key = " ".join(map(str, each.key))
    return DifferingRow(str(each.table.name), key, each.kind, tuple(map(str, each.fields)))
