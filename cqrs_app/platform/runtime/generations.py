"""The second generations of projections: their query, and the task that builds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.projections.comparison import Report
from cqrs_app.kernel.projections.generation import name_of
from cqrs_app.kernel.projections.generation_rows import GenerationRow, generation_rows
from cqrs_app.kernel.subscriptions.cursors import BUILDING, Cursor, cursors_in
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.runtime.commands import SEE_SYSTEM

KEY = "all"
TURN_SECONDS = 2.0
SAMPLES = 10


@dataclass(frozen=True, slots=True)
class GenerationView:
    """`state`: building, comparing, ready (to be swapped in), previous (was swapped out), failed.
    `position` and `live_position` are how far the rows beside and the live ones are. `rate` is in
    events per second, `seconds_left` until it is built; both are None before and afterwards.
    `differing` counts the rows that differ by column, `samples` are the first of them."""

    projection: str
    state: str
    version: int
    position: int
    live_position: int
    parked: int
    rate: float | None
    seconds_left: float | None
    started_at: datetime
    built_at: datetime | None
    compared_at: datetime | None
    compared_position: int | None
    compared_rows: int | None
    differences: int | None
    differing: dict[str, int]
    samples: tuple[str, ...]
    swapped_at: datetime | None
    problem: str | None


@query(label="Rebuilds", permission=SEE_SYSTEM)
class GenerationList(Query):
    """Rows that are built, or kept, beside the live ones of a projection."""


def generation_list(question: GenerationList, connection: Connection) -> tuple[GenerationView, ...]:
    rows = generation_rows(connection)
    names = [each for name in rows for each in (name, name_of(name))]
    cursors = cursors_in("read").read(connection, names)
    return tuple(
        _view(row, cursors[name], cursors[name_of(name)])
        for name, row in rows.items()
        if name in cursors and name_of(name) in cursors
    )


def _view(row: GenerationRow, live: Cursor, second: Cursor) -> GenerationView:
    rate = None
    if row.built_at is None and row.busy_seconds and second.position:
        rate = second.position / row.busy_seconds
    report = msgspec.json.decode(row.report or "{}", type=Report)
    return GenerationView(
        projection=row.projection,
        state=_state(row, second),
        version=second.version,
        position=second.position,
        live_position=live.position,
        parked=second.parked,
        rate=rate,
        seconds_left=rate and max(live.position - second.position, 0) / rate,
        started_at=row.started_at,
        built_at=row.built_at,
        compared_at=row.compared_at,
        compared_position=row.compared_position,
        compared_rows=row.compared_rows,
        differences=row.differences if row.compared_at else None,
        differing=report.fields,
        samples=tuple(str(each) for each in report.samples[:SAMPLES]),
        swapped_at=row.swapped_at,
        problem=row.problem or second.error,
    )


def _state(row: GenerationRow, second: Cursor) -> str:
    if row.built_at is None:
        return BUILDING
    if second.state == "failed":
        return "failed"
    if row.comparing:
        return "comparing"
    return "previous" if row.role == "previous" else "ready"


class BuildGenerations(BackgroundTask):
    """Builds and compares all of them in one pass through the log. The only key is KEY."""

    name: ClassVar[str] = "rebuilds"
    sends_commands: ClassVar[bool] = False

    def due(self, kernel: Any) -> list[str]:
        return [KEY] if kernel.builder.is_due() else []

    def work(self, kernel: Any, key: str) -> bool:
        more: bool = kernel.builder.work(TURN_SECONDS)
        return more and kernel.builder.is_due()
