"""An order in a few lines, for the forms of commands about it."""

from __future__ import annotations

from contextlib import suppress

from flask import render_template
from markupsafe import Markup

from cqrs_app.interfaces.web.areas.orders.line_quantities import order_given
from cqrs_app.interfaces.web.ask import NO_ANSWER

MOST_LINES = 4


def order_summary(order_id: str) -> Markup:
    """The customer, the total and the first lines; empty where there is no such order."""
    with suppress(*NO_ANSWER):
        order = order_given({"order_id": order_id})
        if order:
            lines = order.lines[:MOST_LINES]
            return Markup(render_template("orders/_summary.html", order=order, lines=lines))  # noqa: S704
    return Markup()
