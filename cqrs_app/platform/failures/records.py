"""Writes failures and their occurrences, a bounded number of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, case, delete, insert, select

from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.failures.causes import Cause
from cqrs_app.platform.failures.tables import failure_hours, failure_occurrences, failures

KEPT_OCCURRENCES = 50
"""Per failure."""
MOST_FAILURES = 1_000
HOURS_KEPT = timedelta(days=7)

_ROW, _OCCURRENCE, _HOUR = failures.c, failure_occurrences.c, failure_hours.c
_PAST = select(_ROW.failure_id).where((_ROW.kind != "event") | (_ROW.state == "resolved"))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence: see failure_occurrences."""

    seen_at: datetime
    release: str
    subject: str = ""
    reference: str = ""


@dataclass(slots=True)
class Seen:
    """Occurrences of one cause that are not written yet; only the last ones are kept one by one."""

    cause: Cause
    hours: Counter[datetime] = field(default_factory=Counter)
    occurrences: list[Occurrence] = field(default_factory=list)
    first_seen: datetime | None = None
    first_release: str = ""
    sample: str = ""
    traceback: str = ""
    written: bool = False

    def add(self, occurrence: Occurrence, sample: str, traceback: str) -> None:
        if self.first_seen is None:
            self.first_seen, self.first_release = occurrence.seen_at, occurrence.release
        self.hours[occurrence.seen_at.replace(minute=0, second=0, microsecond=0)] += 1
        self.occurrences = [*self.occurrences, occurrence][-KEPT_OCCURRENCES:]
        self.sample, self.traceback = sample, traceback

    def followed_by(self, later: Seen) -> Seen:
        """Both together."""
        later.first_seen, later.first_release = self.first_seen, self.first_release
        later.hours += self.hours
        later.occurrences = [*self.occurrences, *later.occurrences][-KEPT_OCCURRENCES:]
        return later

    @property
    def count(self) -> int:
        return self.hours.total()


def save(connection: Connection, seen: Seen) -> None:
    """Add these occurrences to the failure, which opens again if it was resolved before the
    last."""
    last, new = seen.occurrences[-1], seen.cause
    row = insert_into(connection, failures).values(
        failure_id=new.id,
        kind=new.kind,
        place=new.place[:200],
        error=new.error[:100],
        message=new.message,
        code=new.code[:300],
        count=seen.count,
        first_seen=seen.first_seen,
        last_seen=last.seen_at,
        first_release=seen.first_release,
        last_release=last.release,
        sample=seen.sample,
        traceback=seen.traceback,
        state="open",
    )
    came = row.excluded
    regressed = (_ROW.state == "resolved") & (_ROW.resolved_at < came.last_seen)
    changes = {
        "count": _ROW.count + came.count,
        "last_seen": case((_ROW.last_seen > came.last_seen, _ROW.last_seen), else_=came.last_seen),
        "last_release": came.last_release,
        "sample": came.sample,
        "traceback": came.traceback,
        "state": case((regressed, "open"), else_=_ROW.state),
        "regressed_at": case((regressed, came.last_seen), else_=_ROW.regressed_at),
        "regressed_in": case((regressed, came.last_release), else_=_ROW.regressed_in),
    }
    connection.execute(row.on_conflict_do_update(index_elements=["failure_id"], set_=changes))
    _save_occurrences(connection, seen)
    _save_hours(connection, seen)


def _save_occurrences(connection: Connection, seen: Seen) -> None:
    failure_id = seen.cause.id
    rows = [
        {
            "failure_id": failure_id,
            "seen_at": each.seen_at,
            "release": each.release,
            "subject": each.subject[:200],
            "reference": each.reference[:64],
        }
        for each in seen.occurrences
    ]
    connection.execute(insert(failure_occurrences), rows)
    mine = _OCCURRENCE.failure_id == failure_id
    newest = select(_OCCURRENCE.id).where(mine).order_by(_OCCURRENCE.id.desc())
    oldest_kept = newest.offset(KEPT_OCCURRENCES - 1).limit(1).scalar_subquery()
    connection.execute(delete(failure_occurrences).where(mine, _OCCURRENCE.id < oldest_kept))


def _save_hours(connection: Connection, seen: Seen) -> None:
    row = insert_into(connection, failure_hours)
    added = {"count": _HOUR.count + row.excluded.count}
    counted = row.on_conflict_do_update(index_elements=["failure_id", "hour"], set_=added)
    hours = [
        {"failure_id": seen.cause.id, "hour": hour, "count": count}
        for hour, count in sorted(seen.hours.items())
    ]
    connection.execute(counted, hours)


def forget_before(engine: Engine, moment: datetime) -> int:
    """Delete failures not seen since; returns how many. Those that events are parked for are
    kept."""
    with engine.begin() as connection:
        old = connection.execute(_PAST.where(_ROW.last_seen < moment)).scalars().all()
        _forget(connection, old)
    return len(old)


def prune(connection: Connection, now: datetime) -> None:
    """Delete the counts of old hours, and the oldest failures beyond MOST_FAILURES. Those that
    events are parked for are kept."""
    connection.execute(delete(failure_hours).where(_HOUR.hour < now - HOURS_KEPT))
    newest = _PAST.order_by(_ROW.last_seen.desc(), _ROW.failure_id)
    _forget(connection, connection.execute(newest.offset(MOST_FAILURES)).scalars().all())


def _forget(connection: Connection, failure_ids: Sequence[str]) -> None:
    for table in (failure_hours, failure_occurrences, failures):
        for start in range(0, len(failure_ids), 500):
            some = failure_ids[start : start + 500]
            connection.execute(delete(table).where(table.c.failure_id.in_(some)))
