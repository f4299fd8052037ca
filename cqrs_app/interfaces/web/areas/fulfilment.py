"""Orders in fulfilment: the list, and one order with its steps and actions."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.desk.queries.several_orders import StagesOfOrders
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.commands import VIEW
from cqrs_app.areas.fulfilment.queries import (
    FollowerStatus,
    FulfilmentStages,
    FulfilmentView,
    GetFulfilment,
    GetFulfilmentSteps,
    ListFulfilments,
)
from cqrs_app.areas.fulfilment.types import ATTENTION, Stage
from cqrs_app.interfaces.web.areas.area import Place, Sign, WebArea
from cqrs_app.interfaces.web.areas.order_summary import order_summary
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import asked_here, chips, sorts, turning
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.tasks import offered
from cqrs_app.services import services

FILTERS = {"show": "Show", "stage": "Step"}
SHOWN = {
    "open": "Open",
    "attention": "Needs attention",
    "all": "All",
}
WORDS = {"show": SHOWN, "stage": {each.value: each.label for each in Stage}}


@bp.get("/fulfilment")
def fulfilments() -> ResponseReturnValue:
    """One page of the orders in fulfilment that match."""
    question = asked_here(ListFulfilments)
    answer = ask(question)
    page, freshness = answer.value, answer.freshness
    return render_template(
        "fulfilment/fulfilments.html",
        page=page,
        freshness=freshness,
        question=question,
        stages=list(Stage),
        counts=ask(FulfilmentStages()),
        stage_of=_stages(row.order_id for row in page.rows),
        badges=badges_of(
            "fulfilment", {row.order_id: row.applied_version for row in page.rows}, freshness
        ),
        sort=sorts(
            "web.fulfilments", {"since": False}, question.sort, descending=question.descending
        ),
        shown=SHOWN,
        downloads=downloads(ListFulfilments),
        chips=chips("web.fulfilments", FILTERS, WORDS),
        **turning("web.fulfilments", page, question.limit),
    )


@bp.get("/fulfilment/<order_id>")
def fulfilment(order_id: str) -> ResponseReturnValue:
    """One order in fulfilment."""
    return render_template("fulfilment/fulfilment.html", **_shown(order_id))


@bp.get("/fulfilment/<order_id>/now")
@background
def fulfilment_now(order_id: str) -> ResponseReturnValue:
    """Its content again, for the page that shows it."""
    return fragment(render_template("fulfilment/_fulfilment.html", **_shown(order_id)))


def _stages(order_ids: Iterable[str]) -> dict[str, OrderStage]:
    """The stages of these orders by number; none while the read store is down."""
    with suppress(*NO_ANSWER):
        found: dict[str, OrderStage] = ask(StagesOfOrders(order_ids=tuple(order_ids))).value
        return found
    return {}


def tasks_of(found: FulfilmentView | None) -> list[dict[str, Any]]:
    """The actions that the operator may take now; `step` is what would be skipped."""
    steps = {offer.command: offer.step for offer in (found.offers if found else ())}
    return [task | {"step": steps[task["name"]]} for task in offered(steps)]


def _shown(order_id: str) -> dict[str, Any]:
    answer = ask(query_or_404(GetFulfilment, f"There is no order {order_id}.", order_id=order_id))
    found: FulfilmentView | None = answer.value
    if found is None:
        abort(
            404,
            f"Order {order_id} has no fulfilment: it is not approved yet.",
        )
    steps = ask(GetFulfilmentSteps(order_id=order_id))
    return {
        "order_id": order_id,
        "way": found,
        "stage": _stages([order_id]).get(order_id),
        "freshness": answer.freshness,
        "steps": steps.value,
        "steps_freshness": steps.freshness,
        "tasks": tasks_of(found),
        "may_see_commands": may("commands.view"),
    }


def _signs() -> list[Sign]:
    """Behind, if an event has been waiting for as long as makes a panel stale; otherwise how many
    orders need attention.
    """
    if not may(VIEW):
        return []
    following = ask(FollowerStatus()).value
    waits = following.waiting_since
    late = services.settings.amber_lag_seconds
    if waits and (datetime.now(UTC) - waits).total_seconds() > late:
        return [Sign("Fulfilment", f"{following.behind:,} events behind", "bad")]
    address = url_for("web.fulfilments", show="attention")
    waiting = ask(FulfilmentStages()).value
    count = sum(each.orders if each.stage in ATTENTION else each.late for each in waiting)
    if count:
        words = f"{count:,} need{'s' * (count == 1)} attention"
        return [Sign("Fulfilment", words, "warn", address)]
    return [Sign("Fulfilment", "running", "good", url_for("web.fulfilments"))]


FULFILMENT = WebArea(
    places={
        "fulfilment": Place(
            "fulfilment",
            "web.fulfilments",
            "web.fulfilment",
            also="web.order",
            summary=order_summary,
        )
    },
    home_signs=_signs,
)
