"""Print pages of orders: packing slip, pick list, confirmation; for one order or many."""

from __future__ import annotations

from types import MappingProxyType

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.areas.desk.queries.one_order import OrderView
from cqrs_app.areas.desk.queries.several_orders import GetOrders
from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, authorise
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.kernel.errors import Invalid

PAPERS = MappingProxyType(
    {
        "packing-slip": "Packing slip",
        "pick-list": "Pick list",
        "confirmation": "Order confirmation",
    }
)
MOST_PRINTED = 50
"""The most orders at once; some servers reject longer URLs."""


@bp.get("/print/<paper>")
def print_orders(paper: str) -> ResponseReturnValue:
    """The document of each `order` in the URL, each on a page of its own."""
    if paper not in PAPERS:
        abort(404, "There is no such document.")
    authorise(GetOrders)
    ids = list(dict.fromkeys(request.args.getlist("order")))
    if not ids:
        abort(400, "Choose at least one order to print.")
    if len(ids) > MOST_PRINTED:
        abort(400, f"Print at most {MOST_PRINTED} orders at once.")
    return render_template(
        f"print/{paper.replace('-', '_')}.html",
        title=PAPERS[paper],
        orders=_orders(ids),
    )


def _orders(order_ids: list[str]) -> list[OrderView]:
    current = _current(order_ids)
    return [current.get(order_id) or _order(order_id) for order_id in order_ids]


def _current(order_ids: list[str]) -> dict[str, OrderView]:
    """Those whose rows hold all that was recorded of them, by number."""
    try:
        answer = ask(GetOrders(order_ids=tuple(order_ids)))
    except (Invalid, *NO_ANSWER):
        return {}
    found = {each.order_id: each for each in answer.value}
    shown = {order_id: each.applied_version for order_id, each in found.items()}
    badges = badges_of("order", shown, answer.freshness)
    behind = {each for each, badge in badges.items() if badge.pending or badge.parked}
    return {order_id: each for order_id, each in found.items() if order_id not in behind}


def _order(order_id: str) -> OrderView:
    found = order_given({"order_id": order_id})
    if found is None:
        abort(404, f"There is no order {order_id}.")
    return found
