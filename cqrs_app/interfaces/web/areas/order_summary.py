"""The order that a form is about, and its summary."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from flask import render_template
from markupsafe import Markup

from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask
from cqrs_app.kernel.errors import Invalid

MOST_LINES = 4


def order_given(given: Mapping[str, str]) -> OrderView | None:
    """The order that these fields name, folded from its events: never stale, and available while
    the read store is down.
    """
    try:
        question = GetOrder(order_id=given.get("order_id", ""))
    except Invalid:
        return None
    found: OrderView | None = ask(question, strong=True).value
    return found


def order_summary(order_id: str) -> Markup:
    """The customer, the total and the first lines; empty where there is no such order."""
    with suppress(*NO_ANSWER):
        order = order_given({"order_id": order_id})
        if order:
            lines = order.lines[:MOST_LINES]
            return Markup(render_template("orders/_summary.html", order=order, lines=lines))  # noqa: S704
    return Markup()
