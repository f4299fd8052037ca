"""The command log for people: the list, one command, and its chain of causes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.queries.answers import Answering
from cqrs_app.kernel.queries.paging import Limit, Page
from cqrs_app.kernel.store import LogEntry
from cqrs_app.kernel.store.base import EVENT_FIELDS, LOG_FIELDS
from cqrs_app.kernel.store.tables import command_log, events
from cqrs_app.platform.runtime.causes import Link, chain_of
from cqrs_app.platform.runtime.commands import SEE_COMMANDS

_LOG = command_log.c
_COLUMNS = [_LOG[name] for name in LOG_FIELDS]


OperatorName = Annotated[str, NormalForm(str.casefold), Meta(title="Operator")]


@query(label="Command log", permission=SEE_COMMANDS, store="write", step_up=True, personal=True)
class ListCommands(Query):
    """Commands by type, outcome, operator, stream (or order id), business days and moments."""

    type: str = ""
    without: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...],
        Meta(title="Left out", description="Types that are not listed.", max_length=100),
    ] = ()
    outcome: str = ""
    operator: OperatorName = ""
    stream: str = ""
    received_from: date | None = None
    received_to: date | None = None
    since: Annotated[Annotated[datetime, Meta(tz=True)] | None, Meta(title="Since")] = None
    until: Annotated[Annotated[datetime, Meta(tz=True)] | None, Meta(title="Until")] = None
    after: str = ""
    before: str = ""
    limit: Limit = 50


def list_commands(zone: ZoneInfo) -> Answering:
    """Newest first. Days are business days in `zone`."""

    def answer(question: ListCommands, connection: Connection) -> Page[LogEntry]:
        return _page(question, _wanted(question, zone), connection)

    return answer


def _page(
    question: ListCommands, wanted: list[ColumnElement[bool]], connection: Connection
) -> Page[LogEntry]:
    order = (_LOG.received_at, _LOG.command_id)
    found = select(*_COLUMNS).where(*wanted)
    cursor = _cursor(question.after or question.before)
    newer = bool(question.before) and cursor is not None
    if cursor is not None:
        here = tuple_(*cursor)
        found = found.where(tuple_(*order) > here if newer else tuple_(*order) < here)
    direction = order if newer else [column.desc() for column in order]
    rows = connection.execute(found.order_by(*direction).limit(question.limit + 1)).all()
    more, rows = len(rows) > question.limit, rows[: question.limit]
    entries = tuple(LogEntry(*row) for row in (reversed(rows) if newer else rows))
    if not entries:
        return Page((), None, None)
    older = _mark(entries[-1]) if (more or newer) else None
    younger = _mark(entries[0]) if (more if newer else cursor is not None) else None
    return Page(entries, older, younger)


def _wanted(question: ListCommands, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (_LOG.type, question.type),
        (_LOG.outcome, question.outcome),
        (_LOG.operator, question.operator),
    ):
        if value:
            wanted.append(column == value)
    if question.without:
        wanted.append(_LOG.type.not_in(question.without))
    if question.stream:
        # Operators enter the id of an order, engineers the name of its stream.
        wanted.append(_LOG.stream.in_((question.stream, f"order-{question.stream}")))
    if question.received_from:
        wanted.append(_LOG.received_at >= _midnight(question.received_from, zone))
    if question.received_to:
        day_after = question.received_to + timedelta(days=1)
        wanted.append(_LOG.received_at < _midnight(day_after, zone))
    if question.since:
        wanted.append(_LOG.received_at >= question.since)
    if question.until:
        wanted.append(_LOG.received_at < question.until)
    return wanted


@dataclass(frozen=True, slots=True)
class CommandView:
    """One command with the events it wrote and all commands with the same first cause."""

    entry: LogEntry
    events: tuple[StoredEvent, ...]
    chain: tuple[Link, ...]


@query(label="Command", permission=SEE_COMMANDS, store="write", personal=True)
class GetCommand(Query):
    """One row of the command log, or nothing."""

    command_id: str


def get_command(question: GetCommand, connection: Connection) -> CommandView | None:
    entry = entry_of(question.command_id, connection)
    if entry is None:
        return None
    return CommandView(entry, events_by(entry, connection), chain_of(entry, connection))


def entry_of(command_id: str, connection: Connection) -> LogEntry | None:
    row = connection.execute(select(*_COLUMNS).where(_LOG.command_id == command_id)).first()
    return LogEntry(*row) if row else None


def events_by(entry: LogEntry, connection: Connection) -> tuple[StoredEvent, ...]:
    """The events that a command wrote."""
    versions = [each["version"] for each in msgspec.json.decode(entry.events)]
    written = select(*(events.c[name] for name in EVENT_FIELDS)).where(
        events.c.stream == entry.stream, events.c.version.in_(versions)
    )
    rows = connection.execute(written.order_by(events.c.version))
    return tuple(StoredEvent(*row) for row in rows)


@query(label="Failures today", permission=VIEW, store="write")
class FailedToday(Query):
    """How many commands failed (not: were refused) on this business day."""


def failed_today(zone: ZoneInfo) -> Answering:
    def answer(question: FailedToday, connection: Connection) -> int:
        today = _midnight(datetime.now(zone).date(), zone)
        found = select(func.count()).where(_LOG.outcome == "failed", _LOG.received_at >= today)
        return int(connection.execute(found).scalar_one())

    return answer


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The start of a business day, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _mark(entry: LogEntry) -> str:
    return f"{entry.received_at.isoformat()}~{entry.command_id}"


def _cursor(text: str) -> tuple[datetime, str] | None:
    moment, _, command_id = text.partition("~")
    try:
        return datetime.fromisoformat(moment), command_id
    except ValueError:
        # Somebody has edited the cursor. The first page is more useful than an error.
        return None
