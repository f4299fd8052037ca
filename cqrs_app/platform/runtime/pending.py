"""Writes that pages may not show yet, and events as they were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    String,
    and_,
    any_,
    bindparam,
    desc,
    func,
    null,
    select,
    union_all,
)

from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel.commands.bus import WITHDRAWN
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.store.base import EVENT_FIELDS
from cqrs_app.kernel.store.tables import command_log, events, streams
from cqrs_app.platform.runtime.commands import SEE_EVENTS, Stream


@dataclass(frozen=True, slots=True)
class Written:
    """A stream's last event: the version that a page must show to be current, and who wrote it.

    `position` is None until it is assigned.
    """

    stream: str
    version: int
    position: int | None
    type: str
    operator: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """A command that was accepted and waits for a worker."""

    stream: str
    command_id: str
    type: str
    operator: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """Stream -> its last write, and its first queued command."""

    written: dict[str, Written]
    waiting: dict[str, QueuedCommand]


_LAST = and_(events.c.stream == streams.c.stream, events.c.version == streams.c.version)
_WRITTEN = select(
    streams.c.stream,
    streams.c.version,
    events.c.position,
    null().label("command_id"),
    events.c.type,
    events.c.operator,
    events.c.recorded_at.label("at"),
).join(events, _LAST)
_LOG = command_log.c
_WAITING = select(
    _LOG.stream, null(), null(), _LOG.command_id, _LOG.type, _LOG.operator, _LOG.received_at
).where(_LOG.outcome.in_(("queued", "running")))


def _pending(among: Callable[[Column[str]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    """One statement for a page. Of a stream's queued commands the first one comes last, so that it
    is the one kept. `among` builds the condition that a column names one of the streams."""
    both = union_all(_WRITTEN.where(among(streams.c.stream)), _WAITING.where(among(_LOG.stream)))
    return both.order_by(desc("at"))


# The list is one parameter where the database supports it: with one per stream, the statement would
# be compiled again each time.
_PENDING = {
    "postgresql": _pending(
        lambda column: column == any_(bindparam("streams", type_=ARRAY(String)))
    ),
    "sqlite": _pending(lambda column: column.in_(bindparam("streams", expanding=True))),
}


@query(label="Pending changes", permission=VIEW, store="write")
class PendingWrites(Query):
    """For the rows of one page; never cached."""

    streams: Annotated[tuple[Stream, ...], Meta(title="Streams", max_length=500)]


def pending_writes(question: PendingWrites, connection: Connection) -> Pending:
    written, waiting = {}, {}
    for row in connection.execute(
        _PENDING[connection.dialect.name], {"streams": [*question.streams]}
    ):
        if row.command_id is None:
            written[row.stream] = Written(
                row.stream, row.version, row.position, row.type, row.operator, row.at
            )
        else:
            waiting[row.stream] = QueuedCommand(
                row.stream, row.command_id, row.type, row.operator, row.at
            )
    return Pending(written, waiting)


LATELY = timedelta(minutes=2)
"""How long a page says that a delayed command was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedCommand:
    """A command that waits until `not_before`, or was refused lately, with a `sentence`."""

    command_id: str
    type: str
    operator: str
    not_before: datetime
    sentence: str


@query(label="Delayed commands", permission=VIEW, store="write")
class DelayedCommands(Query):
    """The commands of a stream that can still be undone, and those refused lately."""

    stream: Stream


def delayed_commands(
    question: DelayedCommands, connection: Connection
) -> tuple[DelayedCommand, ...]:
    lately = datetime.now(UTC) - LATELY
    refused = and_(
        _LOG.outcome.in_(("refused", "failed")),
        _LOG.finished_at > lately,
        func.coalesce(_LOG.code, "") != WITHDRAWN,
    )
    found = (
        select(_LOG.command_id, _LOG.type, _LOG.operator, _LOG.not_before, _LOG.sentence)
        .where(_LOG.stream == question.stream, _LOG.not_before.is_not(None))
        .where((_LOG.outcome == "queued") | refused)
        .order_by(_LOG.received_at, _LOG.command_id)
    )
    rows = connection.execute(found).mappings()
    return tuple(DelayedCommand(**{**row, "sentence": row["sentence"] or ""}) for row in rows)


@query(label="Raw events", permission=SEE_EVENTS, store="write", personal=True)
class RawEvents(Query):
    """The last events of a stream, newest last."""

    stream: Stream
    limit: Annotated[int, Meta(title="Events", ge=1, le=1_000)] = 200


def raw_events(question: RawEvents, connection: Connection) -> tuple[StoredEvent, ...]:
    columns = [events.c[name] for name in EVENT_FIELDS]
    found = select(*columns).where(events.c.stream == question.stream)
    rows = connection.execute(found.order_by(events.c.version.desc()).limit(question.limit)).all()
    return tuple(StoredEvent(*row) for row in reversed(rows))


@query(label="Changes since", permission=VIEW, store="write")
class EventsSince(Query):
    """The last events of a stream after a version, newest last: what an operator has not seen."""

    stream: Stream
    version: Annotated[int, Meta(title="Version", ge=0, le=2**31 - 1)]
    limit: Annotated[int, Meta(title="Events", ge=1, le=1_000)] = 200


def events_since(question: EventsSince, connection: Connection) -> tuple[Written, ...]:
    columns = events.c
    names = [columns[name] for name in Written.__annotations__]
    found = select(*names).where(
        columns.stream == question.stream, columns.version > question.version
    )
    rows = connection.execute(found.order_by(columns.version.desc()).limit(question.limit)).all()
    return tuple(Written(*row) for row in reversed(rows))
