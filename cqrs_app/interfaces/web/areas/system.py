"""The System page: subscriptions, parked events, processes, answers and tasks, as they run now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.rebuilds import after
from cqrs_app.interfaces.web.areas.webhooks import standings
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may_act
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.presentation import seconds_since
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.figures import CommandFigures, QueryFigures
from cqrs_app.platform.runtime.status import (
    LogHead,
    ParkedStreams,
    ParkedSubscriptionStreams,
    ProcessList,
    ProjectionRow,
    ProjectionStatus,
    SubscriptionStatus,
)
from cqrs_app.platform.webhooks.queries import ListWebhooks
from cqrs_app.services import kernel, services
from cqrs_app.settings import Settings

MOST_PARKED = 50


@bp.get("/system")
def system() -> ResponseReturnValue:
    """Everything at once; the panels then follow by themselves."""
    gathered = kernel.queries.side_by_side(partial(_gathered, name) for name in PANELS)
    panels = {
        name: Markup(_shown(name, found))  # noqa: S704 - our own templates
        for name, found in zip(PANELS, gathered, strict=True)
    }
    return render_template("system/system.html", panels=panels)


@bp.get("/system/<panel>")
@background
def system_panel(panel: str) -> ResponseReturnValue:
    """One panel, for its own poll."""
    if panel not in PANELS:
        abort(404)
    return fragment(_shown(panel, _gathered(panel)))


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription and how far it is behind; `condition` is its state, or behind or stale."""

    row: ProjectionRow
    lag_events: int
    lag_seconds: float
    condition: str


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
    return render_template(f"system/_{name}.html", title=title, **found)


def _health() -> dict[str, Any]:
    # The question also checks that whoever looks may see this.
    processes = ask(ProcessList())
    return {"freshness_of": processes.freshness, "health": health.look(kernel)}


def _queues() -> dict[str, Any]:
    return {"answer": ask(ProcessList())}


def _projections() -> dict[str, Any]:
    answer = ask(ProjectionStatus())
    found = (*answer.value, *ask(SubscriptionStatus()).value)
    # Asked last, so that nobody can be ahead of the log.
    log = ask(LogHead(after=tuple(row.position for row in found))).value
    rows = [_standing(row, log.events, log.oldest_after[row.position]) for row in found]
    return {
        "answer": answer,
        "rows": rows,
        "events": log.events,
        "manageable": _manageable(),
        **_may_manage(),
    }


def _manageable() -> set[str]:
    # The runtime's own subscriptions carry the tasks out, so none of them can be about those.
    areas = (area for area in kernel.registry.areas if area.name != "runtime")
    return {each.name for area in areas for each in (*area.projections, *area.subscriptions)}


def _standing(row: ProjectionRow, head: int, oldest: datetime | None) -> Standing:
    settings: Settings = services.settings
    lag = max(head - row.position, 0)
    seconds = (seconds_since(oldest) or 0.0) if lag else 0.0
    condition = row.state
    if row.state == "running" and lag and seconds >= settings.amber_lag_seconds:
        condition = "behind" if seconds < settings.red_lag_seconds else "stale"
    return Standing(row, lag, seconds, condition)


def _parked() -> dict[str, Any]:
    answer = ask(ParkedStreams(limit=MOST_PARKED))
    others = ask(ParkedSubscriptionStreams(limit=MOST_PARKED)).value
    rows = sorted((*answer.value, *others), key=lambda row: row.since)[:MOST_PARKED]
    return {"answer": answer, "rows": rows, "most": MOST_PARKED, **_may_manage()}


def _webhooks() -> dict[str, Any]:
    answer = ask(ListWebhooks())
    rows = standings(answer.value)
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


def _labels(messages: Mapping[str, type[Any]]) -> dict[str, str]:
    return {name: cls.declaration.label for name, cls in messages.items()}


def _may_manage() -> dict[str, bool]:
    return {"may_manage": may_act("projections.manage")}


PANELS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "health": ("Parts", _health),
    "projections": ("Subscriptions", _projections),
    "parked": ("Parked events", _parked),
    "queues": ("Processes", _queues),
    "webhooks": ("Webhooks", _webhooks),
    "cache": ("Answers, last 24 hours", _cache),
    "commands": ("Actions, last 24 hours", _commands),
}
"""Name in the address -> title, and what its template needs."""


SYSTEM = WebArea(places={"projection": Place("system", "web.system", after=after)})
