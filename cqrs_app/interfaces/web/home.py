"""Home: what waits, what today brought, whether the console is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import abort, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.areas.fulfilment.commands import VIEW as SEE_FULFILMENT
from cqrs_app.areas.fulfilment.queries import FollowerStatus, FulfilmentStages
from cqrs_app.areas.fulfilment.types import ATTENTION
from cqrs_app.areas.inventory.queries.product_list import LowStock
from cqrs_app.areas.orders.queries.figures import Figure, OrdersByDay, TodayFigures, WaitingWork
from cqrs_app.extensions import kernel
from cqrs_app.interfaces.web.ask import ask, may
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.webhooks import standings
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.command_log import FailedToday
from cqrs_app.platform.runtime.figures import QueryFigures
from cqrs_app.platform.runtime.status import ProjectionStatus
from cqrs_app.platform.webhooks.queries import VIEW as SEE_WEBHOOKS
from cqrs_app.platform.webhooks.queries import ListWebhooks

DAYS = 30
LOW_SHOWN = 8
COUNTED = ("placed", "approved", "held", "shipped", "delivered", "cancelled")


@bp.get("/")
def home() -> ResponseReturnValue:
    """The whole page; its panels then follow by themselves."""
    panels = {name: Markup(_panel(name)) for name in PANELS}  # noqa: S704 - our own templates
    return render_template("home/home.html", panels=panels)


@bp.get("/home/<panel>")
@background
def home_panel(panel: str) -> ResponseReturnValue:
    """One panel, for its own poll."""
    if panel not in PANELS:
        abort(404, "There is no such panel.")
    return fragment(_panel(panel))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of work today and the day before; `currency` is empty for a plain count."""

    label: str
    currency: str
    today: Decimal | int
    before: Decimal | int


@dataclass(frozen=True, slots=True)
class Sign:
    """One reading of the health strip; `tone` is good, warn, bad or idle."""

    label: str
    value: str
    tone: str
    url: str = ""


def _panel(name: str) -> str:
    return render_template(f"home/_{name.replace('-', '_')}.html", **PANELS[name]())


def _waiting() -> dict[str, Any]:
    answer = ask(WaitingWork())
    waiting = answer.value
    cards = [
        ("To approve", waiting.to_approve, ["placed"]),
        ("On hold", waiting.on_hold, ["on_hold"]),
        ("To ship", waiting.to_ship, ["approved", "part_shipped"]),
    ]
    return {
        "answer": answer,
        "cards": [
            {"label": label, "queue": queue, "url": _oldest_first(statuses)}
            for label, queue, statuses in cards
        ],
    }


def _oldest_first(statuses: list[str]) -> str:
    return url_for("web.orders", status=statuses, sort="placed_at", descending=0)


def _today() -> dict[str, Any]:
    answer = ask(TodayFigures(day=_day()))
    return {"answer": answer, "rows": _compared(answer.value), "day": _day()}


def _compared(figures: tuple[Figure, ...]) -> list[Comparison]:
    rows = []
    for what in COUNTED:
        some = [each for each in figures if each.what == what]
        counts = sum(each.count for each in some), sum(each.count_before for each in some)
        rows.append(Comparison(what.capitalize(), "", *counts))
        if what == "placed":
            rows += [
                Comparison("Placed, value", each.currency, each.value, each.value_before)
                for each in some
            ]
    return rows


def _chart() -> dict[str, Any]:
    answer = ask(OrdersByDay(days=DAYS, until=_day()))
    return {"answer": answer, "days": answer.value}


def _low_stock() -> dict[str, Any]:
    return {"answer": ask(LowStock(limit=LOW_SHOWN))}


def _health() -> dict[str, Any]:
    answer = ask(WaitingWork())
    state = health.look(kernel)
    failed = ask(FailedToday()).value
    signs = [
        Sign("Events behind", str(answer.freshness.lag_events), _tone(answer.freshness.state)),
        Sign("Workers", str(state.workers), "good" if state.workers else "bad"),
        Sign("Sweep", "running" if state.sweeps else "stopped", "good" if state.sweeps else "bad"),
        Sign("Redis", "here" if state.redis else "away", "good" if state.redis else "warn"),
        Sign(
            "Failed tasks today",
            str(failed),
            "bad" if failed else "good",
            _failed_today() if may("commands.view") else "",
        ),
    ]
    if may("system.view"):
        signs += _for_engineers(state)
    if may(SEE_WEBHOOKS):
        signs += _webhooks()
    if may(SEE_FULFILMENT):
        signs.append(_fulfilment())
    return {"answer": answer, "signs": signs}


def _failed_today() -> str:
    # From today on only, so that the list shows as many as the figure says.
    return url_for("web.command_log", outcome="failed", received_from=_day().isoformat())


def _for_engineers(state: health.Health) -> list[Sign]:
    parked = sum(each.parked for each in ask(ProjectionStatus()).value)
    rows = ask(QueryFigures(hours=24)).value
    hits = sum(each.hits + each.stale_hits for each in rows)
    asked = hits + sum(each.misses for each in rows)
    rate = f"{hits / asked:.0%}" if asked else "none yet"
    system = url_for("web.system")
    return [
        Sign("Parked events", str(parked), "bad" if parked else "good", system),
        Sign(
            "Cache hit rate", rate, ("good" if asked else "idle") if state.redis else "warn", system
        ),
    ]


def _webhooks() -> list[Sign]:
    conditions = [each.condition for each in standings(ask(ListWebhooks()).value)]
    if not conditions:
        return []
    for condition, tone in (("failing", "bad"), ("paused", "warn")):
        if count := conditions.count(condition):
            return [Sign("Webhooks", f"{count} {condition}", tone, url_for("web.webhooks"))]
    return [Sign("Webhooks", "delivering", "good", url_for("web.webhooks"))]


def _fulfilment() -> Sign:
    """Behind, when nobody has reacted to an event for as long as makes a panel stale; else how
    many orders somebody has to look at."""
    following = ask(FollowerStatus()).value
    waits = following.waiting_since
    late = current_app.extensions["settings"].amber_lag_seconds
    if waits and (datetime.now(UTC) - waits).total_seconds() > late:
        return Sign("Fulfilment", f"{following.behind:,} events behind", "bad")
    address = url_for("web.fulfilments", show="attention")
    waiting = ask(FulfilmentStages()).value
    count = sum(each.orders if each.stage in ATTENTION else each.late for each in waiting)
    if count:
        return Sign("Fulfilment", f"{count:,} to look at", "warn", address)
    return Sign("Fulfilment", "on its way", "good", url_for("web.fulfilments"))


def _tone(state: str) -> str:
    return {"current": "good", "behind": "warn", "paused": "warn", "rebuilding": "warn"}.get(
        state, "bad"
    )


def _day() -> date:
    # Days are UTC days, as in the read models behind these figures.
    return datetime.now(UTC).date()


PANELS: dict[str, Callable[[], dict[str, Any]]] = {
    "waiting": _waiting,
    "today": _today,
    "chart": _chart,
    "low-stock": _low_stock,
    "health": _health,
}
