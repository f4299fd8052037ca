"""Statistics of the buses: counts, rates and durations per command and query type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.statistics import Measured, measured, since
from cqrs_app.platform.runtime.commands import SEE_SYSTEM

Hours = Annotated[int, Meta(ge=1, le=24 * 31)]


@query(label="Command statistics", permission=SEE_SYSTEM, store="write")
class CommandFigures(Query):
    """Per command type over the last hours, from the start of an hour; beyond two days, from the
    start of a day."""

    hours: Hours = 24


def command_figures(question: CommandFigures, connection: Connection) -> tuple[Measured, ...]:
    return tuple(measured(connection, "command", since(datetime.now(UTC), question.hours)))


@dataclass(frozen=True, slots=True)
class QueryRow:
    """`hit_rate` is the share of cacheable answers that came from the cache, 0 to 1."""

    name: str
    hits: int
    stale_hits: int
    misses: int
    uncached: int
    failed: int
    hit_rate: float | None
    mean_ms: float
    p50_ms: float
    p95_ms: float


@query(label="Query statistics", permission=SEE_SYSTEM, store="write")
class QueryFigures(Query):
    """Per query type over the last hours, from the start of an hour; beyond two days, from the
    start of a day."""

    hours: Hours = 24


def query_figures(question: QueryFigures, connection: Connection) -> tuple[QueryRow, ...]:
    return tuple(
        _row(each)
        for each in measured(connection, "query", since(datetime.now(UTC), question.hours))
    )


def _row(each: Measured) -> QueryRow:
    results = each.results
    hits, stale, misses = (results.get(name, 0) for name in ("hit", "stale_hit", "miss"))
    cacheable = hits + stale + misses
    return QueryRow(
        name=each.name,
        hits=hits,
        stale_hits=stale,
        misses=misses,
        uncached=results.get("uncached", 0) + results.get("strong", 0),
        failed=results.get("failed", 0),
        hit_rate=(hits + stale) / cacheable if cacheable else None,
        mean_ms=each.mean_ms,
        p50_ms=each.p50_ms,
        p95_ms=each.p95_ms,
    )
