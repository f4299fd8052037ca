"""Where projections stand, what is parked, which processes live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.store.tables import checkpoints, events, parked_events, statistics
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.presence import Process

RATE_OVER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ProjectionRow:
    """`rate` is events per second over the last minutes in which it had work."""

    projection: str
    position: int
    version: int
    state: str
    applied: int
    advanced_at: datetime | None
    error: str | None
    parked: int
    rate: float


@query(label="Projections", permission="system.view")
class ProjectionStatus(Query):
    """Every projection with its position, state and parked events."""


def projection_status(
    question: ProjectionStatus, connection: Connection
) -> tuple[ProjectionRow, ...]:
    parked: dict[str, int] = dict(
        connection.execute(
            select(parked_events.c.projection, func.count()).group_by(parked_events.c.projection)
        ).all()
    )
    columns = statistics.c
    busy = (
        select(columns.name, func.sum(columns.count), func.sum(columns.total_ms))
        .where(columns.bus == "projection", columns.minute >= datetime.now(UTC) - RATE_OVER)
        .group_by(columns.name)
    )
    rates = {
        name: float(count) / max(float(ms) / 1000, 0.001)
        for name, count, ms in connection.execute(busy)
    }
    rows = connection.execute(select(checkpoints).order_by(checkpoints.c.projection))
    return tuple(
        ProjectionRow(
            **row._mapping,
            parked=parked.get(row.projection, 0),
            rate=rates.get(row.projection, 0.0),
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Log:
    """`events` counts the committed events; `oldest_after` maps each position asked for to the
    moment the first event behind it was recorded, None where there is none."""

    events: int
    oldest_after: dict[int, datetime | None]


@query(label="Event log", permission="system.view", store="write")
class LogHead(Query):
    """Where the log ends, and since when events wait behind some positions of it."""

    after: tuple[int, ...] = ()


def log_head(question: LogHead, connection: Connection) -> Log:
    columns = events.c
    placed = select(func.coalesce(func.max(columns.position), 0)).scalar_subquery()
    unplaced = select(func.count()).where(columns.position.is_(None)).scalar_subquery()
    count = int(connection.execute(select(placed + unplaced)).scalar_one())
    return Log(count, {each: _oldest_after(connection, each) for each in set(question.after)})


def _oldest_after(connection: Connection, position: int) -> datetime | None:
    columns = events.c
    behind = select(columns.recorded_at).where(columns.position > position)
    # On PostgreSQL an event has no position for a moment after its commit.
    unplaced = select(columns.recorded_at).where(columns.position.is_(None))
    for found in (behind.order_by(columns.position), unplaced.order_by(columns.id)):
        moment: datetime | None = connection.execute(found.limit(1)).scalar()
        if moment is not None:
            return moment
    return None


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream that a projection has stopped taking in, and the event that stopped it."""

    projection: str
    stream: str
    waiting: int
    since: datetime
    type: str
    version: int
    position: int
    error: str
    traceback: str
    attempts: int


@query(label="Parked events", permission="system.view")
class ParkedStreams(Query):
    """Streams with events that could not be applied, oldest first."""

    limit: Annotated[int, Meta(title="Streams", ge=1, le=500)] = 50


def parked_streams(question: ParkedStreams, connection: Connection) -> tuple[ParkedStream, ...]:
    columns = parked_events.c
    heads = (
        select(
            columns.projection,
            columns.stream,
            func.count().label("waiting"),
            func.min(columns.position).label("position"),
        )
        .group_by(columns.projection, columns.stream)
        .subquery()
    )
    same = (columns.projection == heads.c.projection) & (columns.position == heads.c.position)
    found = (
        select(parked_events, heads.c.waiting)
        .join(heads, same)
        .order_by(columns.parked_at, columns.position)
        .limit(question.limit)
    )
    return tuple(
        ParkedStream(
            projection=row.projection,
            stream=row.stream,
            waiting=row.waiting,
            since=row.parked_at,
            type=row.type,
            version=row.version,
            position=row.position,
            error=row.error or "",
            traceback=row.traceback or "",
            attempts=row.attempts,
        )
        for row in connection.execute(found)
    )


@query(label="Processes", permission="system.view", store="write")
class ProcessList(Query):
    """Workers and sweeps seen within the last hour."""


def process_list(question: ProcessList, connection: Connection) -> tuple[Process, ...]:
    return tuple(presence.seen(connection, datetime.now(UTC)))
