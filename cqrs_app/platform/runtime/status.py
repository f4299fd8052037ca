"""The state of projections, parked events, and which processes are alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, Table, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.projections.generation import SUFFIX
from cqrs_app.kernel.store.tables import events, parked_events, subscription_parked
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.cursors import Cursors, cursors_in
from cqrs_app.kernel.subscriptions.presence import Process
from cqrs_app.platform.runtime.commands import SEE_SYSTEM

Cause = Annotated[str, Meta(title="Failure", max_length=12)]


@dataclass(frozen=True, slots=True)
class ProjectionRow:
    """A projection or another subscription."""

    projection: str
    position: int
    version: int
    state: str
    applied: int
    advanced_at: datetime | None
    error: str | None
    parked: int


@query(label="Projections", permission=SEE_SYSTEM)
class ProjectionStatus(Query):
    """Every projection with its position, state and parked events."""


def projection_status(
    question: ProjectionStatus, connection: Connection
) -> tuple[ProjectionRow, ...]:
    return _rows(cursors_in("read"), connection)


@query(label="Other subscriptions", permission=SEE_SYSTEM, store="write")
class SubscriptionStatus(Query):
    """Every subscription with effects, whose cursor is in the write store: position, state and
    parked events."""


def subscription_status(
    question: SubscriptionStatus, connection: Connection
) -> tuple[ProjectionRow, ...]:
    return _rows(cursors_in("write"), connection)


def _rows(store: Cursors, connection: Connection) -> tuple[ProjectionRow, ...]:
    return tuple(
        ProjectionRow(
            projection=each.subscription,
            position=each.position,
            version=each.version,
            state=each.state,
            applied=each.applied,
            advanced_at=each.advanced_at,
            error=each.error,
            parked=each.parked,
        )
        for each in store.all(connection)
        if not each.subscription.endswith(SUFFIX)
    )


@dataclass(frozen=True, slots=True)
class Log:
    """`events` counts the committed events. `oldest_after` maps each requested position to the time
    when the first event after it was recorded, or None."""

    events: int
    oldest_after: dict[int, datetime | None]


@query(label="Event log", permission=SEE_SYSTEM, store="write")
class LogHead(Query):
    """The end of the log, and since when events have been waiting after given positions."""

    after: tuple[int, ...] = ()


def log_head(question: LogHead, connection: Connection) -> Log:
    count = committed(connection)
    return Log(count, {each: _oldest_after(connection, each) for each in set(question.after)})


def committed(connection: Connection) -> int:
    """The number of committed events, including those without a position, which is the highest
    position that may have been returned."""
    position = events.c.position
    placed = select(func.coalesce(func.max(position), 0)).scalar_subquery()
    unplaced = select(func.count()).where(position.is_(None)).scalar_subquery()
    return int(connection.execute(select(placed + unplaced)).scalar_one())


def _oldest_after(connection: Connection, position: int) -> datetime | None:
    columns = events.c
    behind = select(columns.recorded_at).where(columns.position > position)
    # On PostgreSQL, an event gets its position shortly after its commit.
    unplaced = select(columns.recorded_at).where(columns.position.is_(None))
    for found in (behind.order_by(columns.position), unplaced.order_by(columns.id)):
        moment: datetime | None = connection.execute(found.limit(1)).scalar()
        if moment is not None:
            return moment
    return None


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A stream with parked events in a projection or another subscription, and the event that
    failed. `cause` is the failure that it counts for, empty until it is counted."""

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
    cause: str


@query(label="Parked events", permission=SEE_SYSTEM)
class ParkedStreams(Query):
    """Streams with events that could not be applied, oldest first; of one failure if `cause` is
    given."""

    cause: Cause = ""
    limit: Annotated[int, Meta(title="Streams", ge=1, le=500)] = 50


def parked_streams(question: ParkedStreams, connection: Connection) -> tuple[ParkedStream, ...]:
    return _parked(parked_events, question, connection)


@query(label="Parked events of other subscriptions", permission=SEE_SYSTEM, store="write")
class ParkedSubscriptionStreams(Query):
    """Streams with parked events in subscriptions whose cursor is in the write store, oldest
    first; of one failure if `cause` is given."""

    cause: Cause = ""
    limit: Annotated[int, Meta(title="Streams", ge=1, le=500)] = 50


def parked_subscription_streams(
    question: ParkedSubscriptionStreams, connection: Connection
) -> tuple[ParkedStream, ...]:
    return _parked(subscription_parked, question, connection)


def _parked(
    table: Table, question: ParkedStreams | ParkedSubscriptionStreams, connection: Connection
) -> tuple[ParkedStream, ...]:
    columns = table.c
    heads = (
        select(
            columns.subscription,
            columns.stream,
            func.count().label("waiting"),
            func.min(columns.position).label("position"),
        )
        .where(~columns.subscription.endswith(SUFFIX, autoescape=True))
        .group_by(columns.subscription, columns.stream)
        .subquery()
    )
    same = (columns.subscription == heads.c.subscription) & (columns.position == heads.c.position)
    found = (
        select(table, heads.c.waiting)
        .join(heads, same)
        .order_by(columns.parked_at, columns.position)
        .limit(question.limit)
    )
    if question.cause:
        found = found.where(columns.cause == question.cause)
    return tuple(
        ParkedStream(
            projection=row.subscription,
            stream=row.stream,
            waiting=row.waiting,
            since=row.parked_at,
            type=row.type,
            version=row.version,
            position=row.position,
            error=row.error or "",
            traceback=row.traceback or "",
            attempts=row.attempts,
            cause=row.cause or "",
        )
        for row in connection.execute(found)
    )


@query(label="Processes", permission=SEE_SYSTEM, store="write")
class ProcessList(Query):
    """Workers and sweeps seen within the last hour."""


def process_list(question: ProcessList, connection: Connection) -> tuple[Process, ...]:
    return tuple(presence.seen(connection, datetime.now(UTC)))
