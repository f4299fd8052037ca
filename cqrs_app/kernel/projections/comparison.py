"""Compares the second generation of a projection with the live one, row by row, both at the same
position in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table

from cqrs_app.kernel.projections import digests
from cqrs_app.kernel.projections.bulk import Key, bulk_of, key_of, names_of
from cqrs_app.kernel.projections.digests import snapshot_of
from cqrs_app.kernel.projections.generation import Generation
from cqrs_app.kernel.projections.generation_rows import change_row, generation_rows
from cqrs_app.kernel.projections.runner import ProjectionRunner
from cqrs_app.kernel.store.engines import placeholder_of
from cqrs_app.kernel.subscriptions.cursors import BUILDING, Cursor, cursors_in

PAGE = 2_000
SAMPLES = 100
"""How many differing rows of a projection are kept by their key."""


class Difference(msgspec.Struct, frozen=True):
    """A row that differs. `fields` are its columns with other values; none if the row is in one
    generation only, `missing` or `extra` among the new rows. `values` are "live -> new" of each,
    and are not stored: they may be personal."""

    table: str
    key: tuple[Any, ...]
    kind: str
    fields: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        key = " ".join(map(str, self.key))
        if not self.fields:
            return f"{self.table} {key}: {self.kind}"
        if not self.values:
            return f"{self.table} {key}: {', '.join(self.fields)}"
        found = zip(self.fields, self.values, strict=True)
        return f"{self.table} {key}: " + "; ".join(f"{name}: {value}" for name, value in found)


class Report(msgspec.Struct):
    """`fields` counts the differing rows by "table.column", "table missing" and "table extra".
    `samples` are the first of them."""

    rows: int = 0
    differences: int = 0
    fields: dict[str, int] = msgspec.field(default_factory=dict)
    samples: list[Difference] = msgspec.field(default_factory=list)

    def add(self, found: Difference) -> None:
        self.differences += 1
        for each in found.fields or (found.kind,):
            name = f"{found.table}.{each}" if found.fields else f"{found.table} {each}"
            self.fields[name] = self.fields.get(name, 0) + 1
        if len(self.samples) < SAMPLES:
            self.samples.append(found)


class Comparison:
    """Compares, and stores the report with the generation."""

    def __init__(self, runner: ProjectionRunner, engine: Engine) -> None:
        self._runner = runner
        self._engine = engine

    def samples(self, name: str) -> list[Difference]:
        """Some of the rows that differed when they were compared last, with the values they have
        now in both generations."""
        generation = self._runner.generations[name]
        with snapshot_of(self._engine) as connection:
            row = generation_rows(connection).get(name)
            if row is None or row.report is None:
                return []
            report = msgspec.json.decode(row.report, type=Report)
            tables = {str(live.name): (live, second) for live, second in generation.tables.items()}
            return [_with_values(connection, *tables[each.table], each) for each in report.samples]

    def compare(self, generation: Generation, working: Callable[[], None]) -> None:
        """Compare a generation that is complete. Nobody waits for it: it reads one snapshot of the
        store. `working` is called every few seconds at least."""
        report, gap = Report(), ""
        with ExitStack() as stack:
            connection, live, second = self._at_one_position(generation, stack)
            if live.position == second.position:
                gap = digests.gap(connection, generation.tables)
                for table, stored in generation.tables.items():
                    for rows, found in _differences(connection, table, stored):
                        report.rows += rows
                        for each in found:
                            report.add(each)
                        working()
        self._keep(generation, live, second, report, gap)

    def _keep(
        self, generation: Generation, live: Cursor, second: Cursor, report: Report, gap: str
    ) -> None:
        name, cursors = generation.projection.name, cursors_in("read")
        values: dict[str, Any] = {"comparing": False}
        if live.position == second.position:
            values |= {
                "compared_at": self._runner.now(),
                "compared_position": live.position,
                "compared_rows": report.rows,
                "differences": report.differences,
                "digest_gap": gap,
                "report": msgspec.json.encode(report).decode(),
            }
        else:
            values["problem"] = (
                f"The live rows stand at position {live.position} and are not updated: the new "
                f"ones, at {second.position}, cannot be compared with them."
            )
        with self._engine.begin() as connection:
            change_row(connection, name, **values)
            if second.state == BUILDING:
                cursors.set_state(connection, generation.name, "running")

    def _at_one_position(
        self, generation: Generation, stack: ExitStack
    ) -> tuple[Connection, Cursor, Cursor]:
        """A snapshot in which both generations have reached the same position, and their cursors in
        it; another position only if the live rows are behind and do not move."""
        names, cursors = (generation.projection.name, generation.name), cursors_in("read")
        while True:
            with self._engine.begin() as connection:
                cursors.lock(connection, generation.name)
                live = cursors.read(connection, names)[names[0]]
                self._runner.catch_up(connection, generation, live.position)
            with self._engine.begin() as connection:
                for name in names:
                    cursors.lock(connection, name)
                live, second = (cursors.read(connection, names)[name] for name in names)
                if live.position > second.position:
                    continue
                snapshot = stack.enter_context(snapshot_of(self._engine))
                cursors.read(snapshot, names)  # the first statement takes the snapshot
            return snapshot, live, second


def _differences(
    connection: Connection, live: Table, second: Table
) -> Iterator[tuple[int, list[Difference]]]:
    """The rows of `second` that differ from those of `live`, a page at a time, with how many rows
    the page had."""
    names, key, named = [str(each) for each in names_of(live)], key_of(live), str(live.name)
    places = [names.index(each) for each in key]

    def page(table: Table, after: Key | None, until: Key | None) -> dict[Key, Sequence[Any]]:
        rows = _page(connection, table, after, until)
        return {tuple(row[place] for place in places): row for row in rows}

    before: Key | None = None
    while True:
        ours = page(live, before, None)
        # The new rows between the same keys; those behind the last live one come in pages too.
        theirs = page(second, before, list(ours)[-1] if ours else None)
        if not ours and not theirs:
            return
        missing = (Difference(named, each, "missing") for each in ours if each not in theirs)
        extra = (Difference(named, each, "extra") for each in theirs if each not in ours)
        changed = (
            Difference(named, each, "changed", _changed(names, ours[each], row))
            for each, row in theirs.items()
            if each in ours and ours[each] != row
        )
        yield max(len(ours), len(theirs)), [*missing, *extra, *changed]
        before = list(ours or theirs)[-1]


def _changed(names: Sequence[str], ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[str, ...]:
    return tuple(name for name, one, other in zip(names, ours, theirs, strict=True) if one != other)


def _page(
    connection: Connection, table: Table, after: Key | None, until: Key | None
) -> list[Sequence[Any]]:
    """Rows in the order of their keys, in the driver's format: those after one key and up to
    another, or the next PAGE."""
    key = ", ".join(f'"{each}"' for each in key_of(table))
    marks = ", ".join([placeholder_of(connection.engine)] * len(key_of(table)))
    bounds = ((">", after), ("<=", until))
    where = [f"({key}) {sign} ({marks})" for sign, bound in bounds if bound is not None]
    columns = ", ".join(f'"{each}"' for each in names_of(table))
    statement = f"SELECT {columns} FROM {table.name}"  # noqa: S608 - names of our own
    if where:
        statement += f" WHERE {' AND '.join(where)}"
    statement += f" ORDER BY {key}" + ("" if until is not None else f" LIMIT {PAGE}")
    values = tuple(value for _, bound in bounds if bound is not None for value in bound)
    return [tuple(row) for row in connection.exec_driver_sql(statement, values).all()]


def _with_values(
    connection: Connection, live: Table, second: Table, found: Difference
) -> Difference:
    if not found.fields:
        return found
    ours, theirs = (_values(connection, each, found) for each in (live, second))
    values = tuple(f"{one} -> {other}" for one, other in zip(ours, theirs, strict=True))
    return msgspec.structs.replace(found, values=values)


def _values(connection: Connection, table: Table, found: Difference) -> Sequence[Any]:
    mark = placeholder_of(connection.engine)
    columns = ", ".join(f'"{each}"' for each in names_of(table))
    here = " AND ".join(f'"{each}" = {mark}' for each in key_of(table))
    statement = f"SELECT {columns} FROM {table.name} WHERE {here}"  # noqa: S608 - names of our own
    stored = connection.exec_driver_sql(statement, tuple(found.key)).first()
    if stored is None:
        return ("no row",) * len(found.fields)
    _, row = bulk_of(table, connection).read(tuple(stored))
    return ["nothing" if row[name] is None else row[name] for name in found.fields]
