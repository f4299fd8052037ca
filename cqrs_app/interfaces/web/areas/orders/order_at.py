"""An order as it was at a point in the past, read-only."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from cqrs_app.areas.desk.queries.order_at import GetOrderAt, OrderAt
from cqrs_app.interfaces.web.areas.orders.order import FIRST_LINES
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, authorise, may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms_fields import DateTimeLocalField
from cqrs_app.interfaces.web.listing import kept_here
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import parse

MOST_ENTRIES = 50
"""Of the timeline until then."""


class TimeForm(Form):
    """A time typed in the operator's time zone."""

    at = DateTimeLocalField("Time")


@bp.get("/orders/<order_id>/at/<int:version>")
def order_at_version(order_id: str, version: int) -> ResponseReturnValue:
    """The order after one of its events."""
    authorise(GetOrderAt)
    return _page(_question(order_id, version=str(version)))


@bp.get("/orders/<order_id>/at")
def order_at(order_id: str) -> ResponseReturnValue:
    """The order after a timeline entry (`position`), or at a time (`at`)."""
    authorise(GetOrderAt)
    given = {name: request.args.get(name, "").strip() for name in ("position", "at")}
    point = {name: text for name, text in given.items() if text}
    if "at" in point:
        form = TimeForm(request.args)
        if not form.validate() or form.at.data is None:
            raise Invalid("The address of this page", {"Time": str(form.at.errors[0])})
        point["at"] = form.at.data.isoformat()
    return _page(_question(order_id, **point))


def _question(order_id: str, **point: str) -> GetOrderAt:
    try:
        return parse(GetOrderAt, {"order_id": order_id} | point, from_text=True)
    except Invalid as invalid:
        if "order_id" in invalid.problems:
            abort(404, f"There is no order {order_id}.")
        raise Invalid("The address of this page", invalid.problems) from invalid


def _page(question: GetOrderAt) -> str:
    read_store = True
    try:
        answer = ask(question)
    except NO_ANSWER:
        # The order's events are in the write store.
        answer, read_store = ask(question, strong=True), False
    found: OrderAt | None = answer.value
    if found is None:
        abort(404, f"There is no order {question.order_id}.")
    most = None if request.args.get("lines") == "all" else FIRST_LINES
    return render_template(
        "orders/at.html",
        found=found,
        order_id=found.order_id,
        then=found.then,
        now=found.now,
        lines=found.then.order.lines[:most] if found.then else (),
        timeline_then=found.timeline[: -MOST_ENTRIES - 1 : -1],
        freshness=answer.freshness,
        read_store=read_store,
        may_see_commands=may("commands.view"),
        may_see_events=may("events.view"),
        **_others(question, found),
    )


def _others(question: GetOrderAt, found: OrderAt) -> dict[str, Any]:
    """The URLs of the neighbouring versions, empty if there is none. An entry of another stream is
    between two versions of the order.
    """
    own = found.entry is None or found.entry.stream == f"order-{found.order_id}"
    earlier = found.version - 1 if own else found.version
    later = found.version + 1

    def url(version: int) -> str:
        return url_for("web.order_at_version", order_id=found.order_id, version=version)

    address = kept_here() | (request.view_args or {}) | {"lines": "all"}
    return {
        "earlier": earlier,
        "later": later,
        "earlier_url": url(earlier) if earlier > 0 else "",
        "later_url": url(later) if later <= found.newest else "",
        "all_lines_url": url_for(request.endpoint or "", **address),
    }
