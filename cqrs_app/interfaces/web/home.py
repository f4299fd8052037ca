"""Home: what waits, what happened today, whether the console is well."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.areas.desk.queries.figures import OrdersByStage
from cqrs_app.interfaces.web.areas import AREAS, HOME_PANELS
from cqrs_app.interfaces.web.areas.area import Sign
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, ask_if_allowed, may
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.shift import offered_shift
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.command_log import FailedToday
from cqrs_app.platform.runtime.figures import QueryFigures
from cqrs_app.platform.runtime.statistics.queries import StatisticHistory
from cqrs_app.platform.runtime.status import ProjectionStatus
from cqrs_app.services import kernel


@bp.get("/")
def home() -> ResponseReturnValue:
    """The whole page; its panels then update by themselves."""
    gathered = kernel.queries.side_by_side(partial(_gathered, name) for name in PANELS)
    panels = {
        name: Markup(_shown(name, found))  # noqa: S704 - our own templates
        for name, found in zip(PANELS, gathered, strict=True)
    }
    return render_template("home/home.html", panels=panels, shift=offered_shift())


@bp.get("/home/<panel>")
@background
def home_panel(panel: str) -> ResponseReturnValue:
    """One panel, for its own poll."""
    if panel not in PANELS:
        abort(404, "There is no such panel.")
    return fragment(_shown(panel, _gathered(panel)))


def _gathered(name: str) -> dict[str, Any] | None:
    """What a panel shows; None while its database does not answer."""
    try:
        return PANELS[name]()
    except NO_ANSWER:
        return None


def _shown(name: str, found: dict[str, Any] | None) -> str:
    title = TITLES[name]
    if found is None:
        return render_template("home/_away.html", name=name, title=title)
    return render_template(f"home/_{name.replace('-', '_')}.html", title=title, **found)


def _health() -> dict[str, Any]:
    answer = ask(OrdersByStage())
    state = health.look(kernel)
    failed = ask(FailedToday()).value
    trends = _trends()
    signs = [
        Sign(
            "Events behind",
            str(answer.freshness.lag_events),
            _tone(answer.freshness.state),
            trend=trends.get("lag_events", ()),
        ),
        Sign("Workers", str(state.workers), "good" if state.workers else "bad"),
        Sign("Sweep", "running" if state.sweeps else "stopped", "good" if state.sweeps else "bad"),
        Sign("Redis", "OK" if state.redis else "down", "good" if state.redis else "warn"),
        Sign(
            "Failed actions today",
            str(failed),
            "bad" if failed else "good",
            _failed_today() if may("commands.view") else "",
            trends.get("commands_failed", ()),
        ),
    ]
    if may("system.view"):
        signs += _for_engineers(state, trends.get("cache_hits", ()))
    for area in AREAS:
        signs += area.home_signs()
    return {"answer": answer, "signs": signs}


def _failed_today() -> str:
    # From today on only, so that the list shows as many as the figure says.
    today = business_day().isoformat()
    return url_for("web.command_log", outcome="failed", received_from=today)


def _trends() -> dict[str, tuple[float | None, ...]]:
    """The last hour of what the strip shows, for those who may see statistics."""
    names = ("lag_events", "commands_failed", "cache_hits")
    answer = ask_if_allowed(StatisticHistory(statistics=names))
    histories = zip(names, answer.value, strict=True) if answer else ()
    return {name: history.lines[0].values for name, history in histories}


def _for_engineers(state: health.Health, hits_lately: tuple[float | None, ...]) -> list[Sign]:
    known = kernel.registry.subscriptions
    parked = sum(each.parked for each in ask(ProjectionStatus()).value if each.projection in known)
    rows = ask(QueryFigures(hours=24)).value
    hits = sum(each.hits + each.stale_hits for each in rows)
    asked = hits + sum(each.misses for each in rows)
    rate = f"{hits / asked:.0%}" if asked else "none yet"
    system = url_for("web.system")
    return [
        Sign(
            "Parked events",
            str(parked),
            "bad" if parked else "good",
            url_for("web.failures", kind="event"),
        ),
        Sign(
            "Cache hit rate",
            rate,
            ("good" if asked else "idle") if state.redis else "warn",
            system,
            hits_lately,
        ),
    ]


def _tone(state: str) -> str:
    return {"current": "good", "behind": "warn", "paused": "warn", "rebuilding": "warn"}.get(
        state, "bad"
    )


PANELS = HOME_PANELS | {"health": _health}
TITLES = {
    "waiting": "Needs action",
    "trends": "Trends",
    "today": "Today",
    "low-stock": "Low stock",
    "health": "Health",
}
