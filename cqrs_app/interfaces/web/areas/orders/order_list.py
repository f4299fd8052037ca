"""The order list: filters, a page of orders, and what has changed since it was shown."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.desk.queries.order_list import CountChanges, ListOrders
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.interfaces.web.areas.orders.filters import PLACE, Address, chips, pager, sorts
from cqrs_app.interfaces.web.ask import ask, may, may_act, wants
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import page_size
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.polling import following

CHANGES = "/orders/changes"


@bp.get("/orders")
def orders() -> ResponseReturnValue:
    """A page of the list; htmx gets the table alone."""
    address = Address.of(request.args)
    question = address.question(ListOrders, **page_size())
    answer = ask(question)
    page, freshness = answer.value, answer.freshness
    shown = {
        "page": page,
        "freshness": freshness,
        "badges": badges_of(
            "order", {row.order_id: row.applied_version for row in page.rows}, freshness
        ),
        "sort": sorts(address, question),
        "pager": pager(address, page.next, page.previous),
        "filtered": bool(address.filters().given),
        "elsewhere": bool(question.after or question.before),
        "first_url": address.without(*PLACE).url(),
        "may_place": may_act("orders.place"),
        "customers_url": _customers_of(question.q),
        "changes": None,
        "on_the_way": freshness.lag_events,
        "changes_url": address.filters().url("web.orders_changes", since=freshness.position),
        "show_url": address.url(),
    }
    if wants("orders-table"):
        return render_template("orders/_table.html", **shown)
    return render_template(
        "orders/orders.html",
        **shown,
        question=question,
        given=address.given,
        chips=chips(address),
        downloads=downloads(ListOrders),
        statuses=list(OrderStatus),
    )


def _customers_of(written: str) -> str:
    """Orders hold no e-mail address; the customer who has it leads to them."""
    by_email = "@" in written and may("customers.view")
    return url_for("web.customers", q=written) if by_email else ""


@bp.get(CHANGES)
@background
def orders_changes() -> ResponseReturnValue:
    """What has changed among the orders that fit since the position `since`."""
    return following(CountChanges, _changes)


def _changes() -> str:
    address = Address.of(request.args)
    shown = address.without(*PLACE, "sort", "descending", "limit")
    answer = ask(shown.question(CountChanges))
    return render_template(
        "orders/_changes.html",
        changes=answer.value,
        on_the_way=answer.freshness.lag_events,
        changes_url=address.url("web.orders_changes"),
        show_url=address.without("since").url(),
    )
