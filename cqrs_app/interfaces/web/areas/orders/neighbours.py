"""The orders before and after this one in the list from which it was opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import request, url_for

from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.interfaces.web.areas.orders.filters import PLACE, Address
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask
from cqrs_app.kernel.errors import Invalid

LIST = "list"
"""The parameter that holds the list's query string."""


def neighbours(order: Any) -> dict[str, str]:
    """`list_url` leads back to that page of the list, `next_url` and `previous_url` to the
    neighbouring orders. Without such a list: all orders, newest first.
    """
    address = Address.from_query(request.args.get(LIST, ""))
    found = {"list_url": address.url()}
    try:
        question = address.without(*PLACE, "limit").question(ListOrders, limit=1)
        mark = mark_of(question, order)
        for name, beside in (("next_url", "after"), ("previous_url", "before")):
            rows = ask(replace(question, **{beside: mark})).value.rows  # type: ignore[arg-type]
            if rows:
                found[name] = _url(rows[0].order_id)
    except (Invalid, *NO_ANSWER):
        # A URL that somebody edited, or a list that cannot be read now; the order itself can be
        # shown.
        return found
    return found


def mark_of(question: ListOrders, order: Any) -> str:
    """The place of the order in the list."""
    return question.at({name: getattr(order, name) for name in _SORTED})


_SORTED = ("placed_at", "updated_at", "total", "order_id")


def _url(order_id: str) -> str:
    given: dict[str, Any] = {LIST: request.args[LIST]} if request.args.get(LIST) else {}
    return url_for("web.order", order_id=order_id, **given)
