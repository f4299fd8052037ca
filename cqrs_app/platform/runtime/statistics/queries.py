"""Queries on statistics: the list of them with their values now, and one of them over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from cqrs_app.kernel.measurements.reading import latest, read, window
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.runtime.commands import SEE_SYSTEM
from cqrs_app.platform.runtime.statistics.catalogue import STATISTICS
from cqrs_app.platform.runtime.statistics.history import (
    Mark,
    StatisticLine,
    Top,
    errors_in,
    lines,
    marks,
    now_values,
    slowest_in,
)

Span = Literal["15 minutes", "hour", "6 hours", "day", "week", "month", "year"]
SPANS: dict[Span, timedelta] = {
    "15 minutes": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "6 hours": timedelta(hours=6),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}

Ranked = Literal["statements", "pages", "queries", "actions", "subscriptions"]

Name = Annotated[
    str, Meta(title="Statistic", examples=["command_p95"], pattern="^[a-z0-9_]+$", max_length=40)
]
Last = Annotated[Span, Meta(title="Last", description="How far back it goes.")]
Until = Annotated[
    Annotated[datetime, Meta(tz=True)] | None, Meta(title="Until", description="Default: now.")
]


@dataclass(frozen=True, slots=True)
class StatisticNow:
    """A statistic and its value over the last minute; `by` is the label it can be split by."""

    name: str
    title: str
    unit: str
    group: str
    by: str
    value: float | None


@query(label="Statistics", permission=SEE_SYSTEM, store="write")
class ListStatistics(Query):
    """Every statistic with its value over the last minute."""


def list_statistics(question: ListStatistics, connection: Connection) -> tuple[StatisticNow, ...]:
    found = now_values(connection, STATISTICS.values(), datetime.now(UTC))
    return tuple(
        StatisticNow(each.name, each.title, each.unit, each.group, each.by, found[each.name])
        for each in STATISTICS.values()
    )


@dataclass(frozen=True, slots=True)
class History:
    """Values at the start of each step of `seconds`. `lines` has one for the whole, or one for each
    value of the label `by`, the largest first. Marks are releases and problems."""

    title: str
    unit: str
    seconds: int
    start: datetime
    end: datetime
    steps: tuple[datetime, ...]
    lines: tuple[StatisticLine, ...]
    marks: tuple[Mark, ...]


@query(label="Statistic over time", permission=SEE_SYSTEM, store="write")
class StatisticHistory(Query):
    """One or more statistics over time, as a whole or split."""

    statistics: Annotated[
        tuple[Name, ...],
        Meta(title="Statistics", examples=[["lag_seconds"]], min_length=1, max_length=12),
    ]
    last: Last = "hour"
    until: Until = None
    only: Annotated[str, Meta(title="Only", max_length=400)] = ""
    split: Annotated[bool, Meta(title="Split by its label")] = False
    lines: Annotated[int, Meta(title="Lines", ge=1, le=200)] = 12

    def check(self) -> Iterator[tuple[str, str]]:
        unknown = [name for name in self.statistics if name not in STATISTICS]
        if unknown:
            yield "statistics", f"There is no statistic {unknown[0]}."


def statistic_history(question: StatisticHistory, connection: Connection) -> tuple[History, ...]:
    now = datetime.now(UTC)
    end = question.until or now
    over = window(end - SPANS[question.last], end, now)
    chosen = [STATISTICS[name] for name in question.statistics]
    most = question.lines if question.split else 0
    found = lines(connection, chosen, over, now, only=question.only, most=most)
    marked = tuple(marks(connection, over))
    return tuple(
        History(
            title=each.title,
            unit=each.unit,
            seconds=over.seconds,
            start=over.start,
            end=over.end,
            steps=tuple(over.steps),
            lines=found[each.name],
            marks=marked,
        )
        for each in chosen
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes of a store now, and how many of them came in the last week; None if that is unknown."""

    store: str
    size: float
    growth: float | None


@query(label="Storage", permission=SEE_SYSTEM, store="write")
class StoredNow(Query):
    """The size of each store, and how it has grown in a week."""


def stored_now(question: StoredNow, connection: Connection) -> tuple[Stored, ...]:
    now = datetime.now(UTC)
    over = window(now - timedelta(days=7), now, now)
    steps = read(connection, ("database_size",), over)["database_size"]
    recent = latest(connection, ("database_size",), now)["database_size"]
    first = steps[min(steps)] if steps else {}
    return tuple(
        Stored(
            store=labels[0],
            size=each.mean,
            growth=each.mean - first[labels].mean if labels in first else None,
        )
        for labels, each in sorted(recent.items())
    )


@query(label="Slowest statements and pages", permission=SEE_SYSTEM, store="write")
class Slowest(Query):
    """Statements that took 50 ms or more, pages, queries, actions and subscriptions, by the time
    spent on them."""

    of: Ranked = "statements"
    last: Last = "hour"
    until: Until = None
    limit: Annotated[int, Meta(title="Rows", ge=1, le=100)] = 10


def slowest(question: Slowest, connection: Connection) -> tuple[Top, ...]:
    metric = {
        "statements": "slow_statements",
        "pages": "requests",
        "queries": "queries",
        "actions": "commands",
        "subscriptions": "applied",
    }[question.of]
    now = datetime.now(UTC)
    end = question.until or now
    over = window(end - SPANS[question.last], end, now)
    return tuple(slowest_in(connection, metric, over)[: question.limit])


@query(label="Errors", permission=SEE_SYSTEM, store="write")
class ListErrors(Query):
    """Refused and failed actions and queries by their error, the most frequent first."""

    last: Last = "day"
    until: Until = None
    limit: Annotated[int, Meta(title="Rows", ge=1, le=200)] = 50


def list_errors(question: ListErrors, connection: Connection) -> tuple[Top, ...]:
    now = datetime.now(UTC)
    end = question.until or now
    over = window(end - SPANS[question.last], end, now)
    return tuple(errors_in(connection, over)[: question.limit])
