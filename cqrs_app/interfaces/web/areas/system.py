"""The System page: subscriptions, failures, processes, answers and tasks, as they run now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.failures import open_failures
from cqrs_app.interfaces.web.areas.rebuilds import after
from cqrs_app.interfaces.web.areas.webhooks import webhook_rows
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may_act
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.presentation import seconds_since
from cqrs_app.interfaces.web.problems import with_buttons
from cqrs_app.interfaces.web.statistics import SWITCH, charts, given_span, message_labels, sparks
from cqrs_app.kernel.reconciliation.records import Reconciliation
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.figures import CommandFigures, QueryFigures
from cqrs_app.platform.runtime.reconciliation import ReconciliationList
from cqrs_app.platform.runtime.statistics.queries import ListErrors, Ranked, Slowest, StoredNow
from cqrs_app.platform.runtime.status import (
    LogHead,
    ProcessList,
    ProjectionRow,
    ProjectionStatus,
    SubscriptionStatus,
)
from cqrs_app.platform.webhooks.queries import ListWebhooks
from cqrs_app.services import kernel, services
from cqrs_app.settings import Settings

MOST_FAILURES = 10
MOST_SLOW = 15
MOST_ERRORS = 50
PARTS = ("subscriptions", "processes", "actions", "questions", "pages", "deliveries", "storage")
"""The pages beside the overview."""
TEMPLATES = {
    "command-errors": "errors",
    "query-errors": "errors",
    "slow-actions": "slow",
    "slow-pages": "slow",
    "slow-statements": "slow",
}
"""Panels whose template has another name."""


@bp.get("/system")
def system() -> ResponseReturnValue:
    """What is wrong, then what runs; the panels then update by themselves."""
    return _page("overview")


@bp.get(f"/system/<any({', '.join(PARTS)}):page>")
def system_page(page: str) -> ResponseReturnValue:
    """One part of the console in full."""
    return _page(page)


def _page(name: str) -> ResponseReturnValue:
    page = PAGES[name]
    gathered = kernel.queries.side_by_side(partial(_gathered, panel) for panel in page.panels)
    panels = [
        Markup(_shown(panel, found))  # noqa: S704 - our own templates
        for panel, found in zip(page.panels, gathered, strict=True)
    ]
    return render_template("system/system.html", panels=panels, name=name)


@bp.get("/system/<panel>")
@background
def system_panel(panel: str) -> ResponseReturnValue:
    """One panel, for its own poll."""
    if panel not in PANELS:
        abort(404)
    return fragment(_shown(panel, _gathered(panel)))


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription and how far it is behind; `condition` is its state, or behind or stale. `rate`
    is that of events applied in the last hour, `lags` are its seconds of lag in that time."""

    row: ProjectionRow
    lag_events: int
    lag_seconds: float
    condition: str
    rate: str
    lags: tuple[float | None, ...]


def _gathered(name: str) -> dict[str, Any] | None:
    """What a panel shows; None where a database does not answer."""
    try:
        return PANELS[name][1]()
    except NO_ANSWER:
        # Whoever looks here may do so because of just that: the other panels still tell.
        return None


def _shown(name: str, found: dict[str, Any] | None) -> str:
    title = PANELS[name][0]
    if found is None:
        return render_template("system/_away.html", title=title, name=name)
    template = TEMPLATES.get(name, name)
    return render_template(f"system/_{template}.html", title=title, panel=name, **found)


def _health() -> dict[str, Any]:
    # The question also checks that whoever looks may see this.
    processes = ask(ProcessList())
    return {"freshness_of": processes.freshness, "health": health.look(kernel)}


def _problems() -> dict[str, Any]:
    processes = ask(ProcessList())
    found = services.problem_sources.problems(kernel)
    return {
        "freshness_of": processes.freshness,
        "troubles": [with_buttons(each) for each in found],
    }


def _charts() -> dict[str, Any]:
    given = request.view_args or {}
    name = given.get("page") or request.args.get("page", "")
    name = name if name in PAGES else "overview"
    last = given_span()
    answer = ask(ProcessList())
    return {
        "freshness_of": answer.freshness,
        "name": name,
        "charts": charts(PAGES[name].statistics, last),
        "last": last,
        "spans": SWITCH,
    }


def _slow(of: Ranked) -> dict[str, Any]:
    answer = ask(Slowest(of=of, last="day", limit=MOST_SLOW))
    return {"answer": answer, "of": of, "labels": message_labels()}


def _errors(bus: str) -> dict[str, Any]:
    answer = ask(ListErrors(last="day", limit=200))
    rows = [row for row in answer.value if row.labels[0] == bus][:MOST_ERRORS]
    return {"answer": answer, "rows": rows, "bus": bus, "labels": message_labels()}


def _storage() -> dict[str, Any]:
    return {"answer": ask(StoredNow()), "redis": health.look(kernel).redis}


def _queues() -> dict[str, Any]:
    return {"answer": ask(ProcessList())}


def _projections() -> dict[str, Any]:
    answer, lags, rates = ask(ProjectionStatus()), sparks("lag_seconds"), _applied_rates()
    known = kernel.registry.subscriptions
    stored = (*answer.value, *ask(SubscriptionStatus()).value)
    # What an earlier release or other settings left behind is not run by anybody.
    found = [each for each in stored if each.projection in known]
    # Asked last, so that nobody can be ahead of the log.
    log = ask(LogHead(after=tuple(row.position for row in found))).value
    rows = [
        _row_of(
            row,
            log.events,
            log.oldest_after[row.position],
            rates.get(row.projection, ""),
            lags.get(row.projection, ()),
        )
        for row in found
    ]
    return {
        "answer": answer,
        "rows": rows,
        "events": log.events,
        "proof": proof_of(ask(ReconciliationList()).value),
        "manageable": _manageable(),
        **_may_manage(),
    }


def _manageable() -> set[str]:
    # The runtime's own subscriptions carry the tasks out, so none of them can be about those.
    areas = (area for area in kernel.registry.areas if area.name != "runtime")
    return {each.name for area in areas for each in (*area.projections, *area.subscriptions)}


def _row_of(
    row: ProjectionRow,
    head: int,
    oldest: datetime | None,
    rate: str,
    lags: tuple[float | None, ...],
) -> SubscriptionRow:
    settings: Settings = services.settings
    lag = max(head - row.position, 0)
    seconds = (seconds_since(oldest) or 0.0) if lag else 0.0
    condition = row.state
    if row.state == "running" and lag and seconds >= settings.amber_lag_seconds:
        condition = "behind" if seconds < settings.red_lag_seconds else "stale"
    return SubscriptionRow(row, lag, seconds, condition, rate, lags)


def _failures() -> dict[str, Any]:
    return {"panel_title": "Failures", "most": MOST_FAILURES, **open_failures()}


def _reconciliation() -> dict[str, Any]:
    answer = ask(ReconciliationList())
    return {"answer": answer, "rows": answer.value, **proof_of(answer.value), **_may_manage()}


def proof_of(records: Sequence[Reconciliation]) -> dict[str, Any]:
    """How many rows were found equal to their digests, and since when that holds for all."""
    compared = [each.compared_at for each in records if each.compared_at]
    return {
        "equal_rows": sum(each.rows for each in records if not each.has_drift),
        "oldest": min(compared, default=None),
        "drifted": [each.projection for each in records if each.has_drift],
    }


def _webhooks() -> dict[str, Any]:
    answer = ask(ListWebhooks())
    rows = webhook_rows(answer.value)
    urgent = ("failing", "paused")
    return {
        "answer": answer,
        "rows": sorted(rows, key=lambda row: row.condition not in urgent),
    }


def _cache() -> dict[str, Any]:
    answer = ask(QueryFigures(hours=24))
    rows = answer.value
    hits = sum(row.hits + row.stale_hits for row in rows)
    cacheable = hits + sum(row.misses for row in rows)
    return {
        "answer": answer,
        "labels": _labels(kernel.registry.queries),
        "hit_rate": hits / cacheable if cacheable else None,
        "cacheable": cacheable,
        "stale": sum(row.stale_hits for row in rows),
        "asked": cacheable + sum(row.uncached for row in rows),
    }


def _commands() -> dict[str, Any]:
    answer = ask(CommandFigures(hours=24))
    return {"answer": answer, "labels": _labels(kernel.registry.commands)}


def _applied_rates() -> dict[str, str]:
    """Subscription -> events per second of work, over the last hour."""
    found = ask(Slowest(of="subscriptions", limit=100)).value
    formats = formats_of(services.settings.locale)
    return {
        row.labels[0]: f"{formats.number(1000 * row.count / row.total)}/s"
        for row in found
        if row.total
    }


def _labels(messages: Mapping[str, type[Any]]) -> dict[str, str]:
    return {name: cls.declaration.label for name, cls in messages.items()}


def _may_manage() -> dict[str, bool]:
    return {"may_manage": may_act("projections.manage")}


@dataclass(frozen=True, slots=True)
class SystemPage:
    """`statistics` are those of its charts."""

    panels: tuple[str, ...]
    statistics: tuple[str, ...]


PAGES = {
    "overview": SystemPage(
        ("problems", "health", "charts", "summary"),
        ("commands", "commands_failed", "request_p95", "lag_seconds", "cache_hits", "worker_busy"),
    ),
    "subscriptions": SystemPage(
        ("projections", "failures", "reconciliation", "charts"),
        ("events", "lag_seconds", "lag_events", "visible_p50", "visible_p95", "applied"),
    ),
    "processes": SystemPage(
        ("queues", "charts"),
        ("worker_busy", "jobs", "jobs_failed", "jobs_waiting", "job_wait_p95", "memory"),
    ),
    "actions": SystemPage(
        ("charts", "commands", "command-errors", "slow-actions"),
        ("commands", "commands_refused", "commands_failed", "command_p50", "command_p95"),
    ),
    "questions": SystemPage(
        ("charts", "cache", "query-errors"),
        (
            *("queries", "queries_failed", "query_p95"),
            *("cache_hits", "stale_hits", "age_served_p95"),
        ),
    ),
    "pages": SystemPage(
        ("charts", "slow-pages"),
        ("requests", "requests_failed", "request_p50", "request_p95"),
    ),
    "deliveries": SystemPage(("webhooks",), ()),
    "storage": SystemPage(("stores", "charts", "slow-statements"), ("database_size", "memory")),
}
"""Name in the address -> a page. None is the name of a panel."""
PANELS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "problems": ("Problems", _problems),
    "health": ("Parts", _health),
    "charts": ("Over time", _charts),
    "summary": ("Subscriptions", _projections),
    "command-errors": ("Refused and failed actions, last 24 hours", partial(_errors, "command")),
    "query-errors": ("Refused and failed queries, last 24 hours", partial(_errors, "query")),
    "slow-actions": ("Time spent on actions, last 24 hours", partial(_slow, "actions")),
    "slow-pages": ("Time spent on pages, last 24 hours", partial(_slow, "pages")),
    "slow-statements": ("Slow statements, last 24 hours", partial(_slow, "statements")),
    "stores": ("Stores", _storage),
    "projections": ("Subscriptions", _projections),
    "failures": ("Failures", _failures),
    "reconciliation": ("Read models compared with the log", _reconciliation),
    "queues": ("Processes", _queues),
    "webhooks": ("Webhooks", _webhooks),
    "cache": ("Answers, last 24 hours", _cache),
    "commands": ("Actions, last 24 hours", _commands),
}
"""Name in the address -> title, and what its template needs."""


SYSTEM = WebArea(places={"projection": Place("system", "web.system", after=after)})
