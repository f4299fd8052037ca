"""Queries on failures: the list, one with its occurrences, and how many are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Select, func, select

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.failures.commands import VIEW, FailureId
from cqrs_app.platform.failures.failed_commands import failed_of
from cqrs_app.platform.failures.tables import failure_hours, failure_occurrences, failures

TREND_HOURS = 24
KINDS = ("event", "command", "delivery", "job", "page")

_ROW, _OCCURRENCE, _HOUR = failures.c, failure_occurrences.c, failure_hours.c

Kind = Literal["event", "command", "delivery", "job", "page"]
State = Literal["open", "ignored", "resolved", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """A failure: every occurrence with the same cause, see causes.py.

    `subjects` are the streams concerned in its last occurrences, each once, at most 50. `state` is
    open, ignored or resolved; one that was resolved and came back is open and has `regressed_in`,
    the release in which it did. `trend` counts its occurrences in each of the last 24 hours, the
    present one last.
    """

    failure_id: str
    kind: str
    place: str
    error: str
    message: str
    code: str
    count: int
    first_seen: datetime
    last_seen: datetime
    first_release: str
    last_release: str
    state: str
    resolved_at: datetime | None
    ignored_until: datetime | None
    regressed_at: datetime | None
    regressed_in: str | None
    subjects: tuple[str, ...]
    trend: tuple[int, ...]


_STORED = [
    _ROW[name] for name in FailureRow.__annotations__ if name not in ("state", "subjects", "trend")
]


@query(label="Failures", permission=VIEW, store="write")
class ListFailures(Query):
    """Failures by state and kind, the last seen first. `event` failures are parked events."""

    state: State = "open"
    kind: Kind | None = None
    limit: Annotated[int, Meta(title="Failures", ge=1, le=200)] = 100


def list_failures(question: ListFailures, connection: Connection) -> tuple[FailureRow, ...]:
    now = datetime.now(UTC)
    wanted = [] if question.state == "all" else [_in_state(question.state, now)]
    if question.kind:
        wanted.append(_ROW.kind == question.kind)
    found = select(*_STORED, _ROW.state).where(*wanted)
    ordered = found.order_by(_ROW.last_seen.desc(), _ROW.failure_id).limit(question.limit)
    return _rows(connection, connection.execute(ordered).mappings().all(), now)


@query(label="Open failures", permission=VIEW, store="write")
class CountFailures(Query):
    """How many failures are open."""


def count_failures(question: CountFailures, connection: Connection) -> int:
    return int(connection.execute(count_open(datetime.now(UTC))).scalar_one())


def count_open(now: datetime) -> Select[int]:
    """How many failures are open."""
    return select(func.count()).select_from(failures).where(_in_state("open", now))


def open_by_kind(connection: Connection, now: datetime) -> dict[str, int]:
    """How many failures of each kind are open; kinds without any are missing."""
    found = select(_ROW.kind, func.count()).where(_in_state("open", now)).group_by(_ROW.kind)
    return dict(connection.execute(found).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceRow:
    """One occurrence. `reference` is a command's id, the number on an error page, or the position
    of an event."""

    seen_at: datetime
    release: str
    subject: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureView:
    """A failure with its last occurrences, newest first. `sample` is the last of them; personal
    values and secrets are left out of it and of the traceback. `failed_commands` is how many of its
    commands can be sent again."""

    failure: FailureRow
    occurrences: tuple[OccurrenceRow, ...]
    sample: dict[str, Any]
    traceback: str
    failed_commands: int


@query(label="Failure", permission=VIEW, store="write")
class GetFailure(Query):
    """One failure, or nothing."""

    failure_id: FailureId


def get_failure(question: GetFailure, connection: Connection) -> FailureView | None:
    found = select(*_STORED, _ROW.state, _ROW.sample, _ROW.traceback)
    mine = found.where(_ROW.failure_id == question.failure_id)
    row = connection.execute(mine).mappings().first()
    if row is None:
        return None
    seen = (
        select(*(_OCCURRENCE[name] for name in OccurrenceRow.__annotations__))
        .where(_OCCURRENCE.failure_id == question.failure_id)
        .order_by(_OCCURRENCE.id.desc())
    )
    return FailureView(
        failure=_rows(connection, [row], datetime.now(UTC))[0],
        occurrences=tuple(OccurrenceRow(**each) for each in connection.execute(seen).mappings()),
        sample=msgspec.json.decode(row["sample"]),
        traceback=row["traceback"],
        failed_commands=connection.execute(
            select(func.count()).select_from(failed_of(question.failure_id).subquery())
        ).scalar_one(),
    )


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    ignored = (_ROW.state == "ignored") & (_ROW.ignored_until > now)
    if state == "ignored":
        return ignored
    return (
        _ROW.state == "resolved" if state == "resolved" else ((_ROW.state != "resolved") & ~ignored)
    )


def state_of(state: str, ignored_until: datetime | None, now: datetime) -> str:
    """The state that a row has now: what was ignored until a moment that has passed is open."""
    passed = state == "ignored" and ignored_until is not None and ignored_until <= now
    return "open" if passed else state


def _rows(connection: Connection, rows: Any, now: datetime) -> tuple[FailureRow, ...]:
    ids = [row["failure_id"] for row in rows]
    subjects, trends = _subjects(connection, ids), _trends(connection, ids, now)
    return tuple(
        FailureRow(
            **{column.name: row[column.name] for column in _STORED},
            state=state_of(row["state"], row["ignored_until"], now),
            subjects=tuple(subjects.get(row["failure_id"], ())),
            trend=trends[row["failure_id"]],
        )
        for row in rows
    )


def _subjects(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    found = (
        select(_OCCURRENCE.failure_id, _OCCURRENCE.subject)
        .where(_OCCURRENCE.failure_id.in_(ids), _OCCURRENCE.subject != "")
        .group_by(_OCCURRENCE.failure_id, _OCCURRENCE.subject)
        .order_by(func.min(_OCCURRENCE.id))
    )
    subjects: dict[str, list[str]] = {}
    for failure_id, subject in connection.execute(found):
        subjects.setdefault(failure_id, []).append(subject)
    return subjects


def _trends(connection: Connection, ids: list[str], now: datetime) -> dict[str, tuple[int, ...]]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=ago) for ago in reversed(range(TREND_HOURS))]
    found = select(_HOUR.failure_id, _HOUR.hour, _HOUR.count).where(
        _HOUR.failure_id.in_(ids), _HOUR.hour >= hours[0]
    )
    counts = {(each, hour): count for each, hour, count in connection.execute(found)}
    return {each: tuple(counts.get((each, hour), 0) for hour in hours) for each in ids}
