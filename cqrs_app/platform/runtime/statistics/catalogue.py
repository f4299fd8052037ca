"""The statistics of the console by name. Charts, the API and the command line read them from here.

Each is made from one metric: what processes record (kernel/measurements), with labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

METRICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "commands": ("type", "outcome"),
        "queries": ("type", "result"),
        "errors": ("bus", "type", "result", "error"),
        "age_served": ("type",),
        "requests": ("route", "status"),
        "slow_statements": ("store", "statement"),
        "visible": ("subscription",),
        "applied": ("subscription",),
        "lag_events": ("subscription",),
        "lag_seconds": ("subscription",),
        "parked": ("subscription",),
        "stopped": ("subscription",),
        "log_position": (),
        "jobs": ("kind", "function", "result"),
        "job_wait": ("kind",),
        "jobs_waiting": ("kind",),
        "commands_waiting": (),
        "processes": ("kind",),
        "memory": ("kind",),
        "database_size": ("store",),
        "down": ("part",),
        "problems": ("kind",),
        "release": ("release",),
    }
)
"""Metric -> its labels."""

Reading = Literal[
    "rate", "share", "mean", "p50", "p95", "p99", "total", "average", "largest", "increase", "busy"
]
"""How a value is read from the values of a step: `rate` and `total` per minute; the `share` of
`where` in `among`; quantiles; of samples the `average` or the `largest`; `increase` per second of a
sampled counter; `busy`, the share of time of the processes alive."""

Unit = Literal[
    "per minute",
    "per second",
    "share",
    "ms",
    "ms per minute",
    "seconds",
    "bytes",
    "events",
    "count",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """`by` is the label that it can be split by. `where` and `among` are values of labels. `worse`
    tells whether more of it is worse, so that a chart can say so."""

    name: str
    title: str
    unit: Unit
    metric: str
    read: Reading
    by: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group: str
    worse: bool = True


_HITS, _CACHEABLE = ("hit", "stale_hit"), ("hit", "stale_hit", "miss")
_FAILED, _REFUSED = {"outcome": ("failed",)}, {"outcome": ("refused",)}


def _times(prefix: str, title: str, metric: str, by: str, group: str) -> tuple[Statistic, ...]:
    quantiles: tuple[tuple[Reading, str], ...] = (
        ("p50", "median"),
        ("p95", "95th percentile"),
        ("p99", "99th percentile"),
        ("mean", "mean"),
    )
    return tuple(
        Statistic(
            name=f"{prefix}_{read}",
            title=f"{title}, {words}",
            unit="ms",
            metric=metric,
            read=read,
            by=by,
            group=group,
        )
        for read, words in quantiles
    )


ACTIONS, QUESTIONS, PAGES = "Actions", "Queries", "Pages and API"
UPDATES, WORK, STORAGE = "Read models", "Background work", "Memory and storage"

STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        each.name: each
        for each in (
            Statistic(
                name="commands",
                title="Actions",
                unit="per minute",
                metric="commands",
                read="rate",
                by="type",
                group=ACTIONS,
                worse=False,
            ),
            Statistic(
                name="commands_failed",
                title="Failed actions",
                unit="per minute",
                metric="commands",
                read="rate",
                by="type",
                where=_FAILED,
                group=ACTIONS,
            ),
            Statistic(
                name="commands_refused",
                title="Refused actions",
                unit="per minute",
                metric="commands",
                read="rate",
                by="type",
                where=_REFUSED,
                group=ACTIONS,
            ),
            Statistic(
                name="command_failure_share",
                title="Share of actions that fail",
                unit="share",
                metric="commands",
                read="share",
                by="type",
                where=_FAILED,
                group=ACTIONS,
            ),
            *_times("command", "Time of an action", "commands", "type", ACTIONS),
            Statistic(
                name="command_time",
                title="Time spent on actions",
                unit="ms per minute",
                metric="commands",
                read="total",
                by="type",
                group=ACTIONS,
            ),
            Statistic(
                name="queries",
                title="Queries",
                unit="per minute",
                metric="queries",
                read="rate",
                by="type",
                group=QUESTIONS,
                worse=False,
            ),
            Statistic(
                name="queries_failed",
                title="Failed queries",
                unit="per minute",
                metric="queries",
                read="rate",
                by="type",
                where={"result": ("failed",)},
                group=QUESTIONS,
            ),
            Statistic(
                name="queries_refused",
                title="Refused queries",
                unit="per minute",
                metric="queries",
                read="rate",
                by="type",
                where={"result": ("refused",)},
                group=QUESTIONS,
            ),
            *_times("query", "Time of a query", "queries", "type", QUESTIONS),
            Statistic(
                name="query_time",
                title="Time spent on queries",
                unit="ms per minute",
                metric="queries",
                read="total",
                by="type",
                group=QUESTIONS,
            ),
            Statistic(
                name="cache_hits",
                title="Cache hits",
                unit="share",
                metric="queries",
                read="share",
                by="type",
                where={"result": _HITS},
                among={"result": _CACHEABLE},
                group=QUESTIONS,
                worse=False,
            ),
            Statistic(
                name="stale_hits",
                title="Answers older than the data, from the cache",
                unit="share",
                metric="queries",
                read="share",
                by="type",
                where={"result": ("stale_hit",)},
                among={"result": _CACHEABLE},
                group=QUESTIONS,
            ),
            Statistic(
                name="age_served_p50",
                title="Age of late answers, median",
                unit="seconds",
                metric="age_served",
                read="p50",
                by="type",
                group=QUESTIONS,
            ),
            Statistic(
                name="age_served_p95",
                title="Age of late answers, 95th percentile",
                unit="seconds",
                metric="age_served",
                read="p95",
                by="type",
                group=QUESTIONS,
            ),
            Statistic(
                name="requests",
                title="Requests",
                unit="per minute",
                metric="requests",
                read="rate",
                by="route",
                group=PAGES,
                worse=False,
            ),
            Statistic(
                name="requests_failed",
                title="Requests that failed (5xx)",
                unit="per minute",
                metric="requests",
                read="rate",
                by="route",
                where={"status": ("5xx",)},
                group=PAGES,
            ),
            *_times("request", "Time of a request", "requests", "route", PAGES),
            Statistic(
                name="events",
                title="Events",
                unit="per second",
                metric="log_position",
                read="increase",
                group=UPDATES,
                worse=False,
            ),
            Statistic(
                name="applied",
                title="Events applied",
                unit="per minute",
                metric="applied",
                read="rate",
                by="subscription",
                group=UPDATES,
                worse=False,
            ),
            *_times("apply", "Time to apply an event", "applied", "subscription", UPDATES),
            *_times("visible", "Commit to visible", "visible", "subscription", UPDATES),
            Statistic(
                name="lag_events",
                title="Lag in events",
                unit="events",
                metric="lag_events",
                read="largest",
                by="subscription",
                group=UPDATES,
            ),
            Statistic(
                name="lag_seconds",
                title="Lag in seconds",
                unit="seconds",
                metric="lag_seconds",
                read="largest",
                by="subscription",
                group=UPDATES,
            ),
            Statistic(
                name="parked",
                title="Parked events",
                unit="events",
                metric="parked",
                read="largest",
                by="subscription",
                group=UPDATES,
            ),
            Statistic(
                name="problems",
                title="Problems",
                unit="count",
                metric="problems",
                read="largest",
                by="kind",
                group=UPDATES,
            ),
            Statistic(
                name="jobs",
                title="Jobs",
                unit="per minute",
                metric="jobs",
                read="rate",
                by="function",
                group=WORK,
                worse=False,
            ),
            Statistic(
                name="jobs_failed",
                title="Crashed jobs",
                unit="per minute",
                metric="jobs",
                read="rate",
                by="function",
                where={"result": ("failed",)},
                group=WORK,
            ),
            Statistic(
                name="jobs_waiting",
                title="Jobs waiting",
                unit="count",
                metric="jobs_waiting",
                read="largest",
                by="kind",
                group=WORK,
            ),
            *_times("job_wait", "Wait of a job", "job_wait", "kind", WORK),
            Statistic(
                name="commands_waiting",
                title="Queued actions",
                unit="count",
                metric="commands_waiting",
                read="largest",
                group=WORK,
            ),
            Statistic(
                name="worker_busy",
                title="Busy share of workers",
                unit="share",
                metric="jobs",
                read="busy",
                by="kind",
                group=WORK,
            ),
            Statistic(
                name="processes",
                title="Processes alive",
                unit="count",
                metric="processes",
                read="average",
                by="kind",
                group=WORK,
                worse=False,
            ),
            Statistic(
                name="memory",
                title="Memory of a process",
                unit="bytes",
                metric="memory",
                read="largest",
                by="kind",
                group=STORAGE,
            ),
            Statistic(
                name="database_size",
                title="Size of a database",
                unit="bytes",
                metric="database_size",
                read="average",
                by="store",
                group=STORAGE,
            ),
        )
    }
)
"""Name -> statistic."""

PROCESSES, RELEASE, PROBLEMS = "processes", "release", "problems"
