"""Customers: the list, and one with accounts, orders and credit notes."""

from __future__ import annotations

from types import MappingProxyType

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.kernel.errors import Invalid
from cqrs_app.orders.queries.customers import GetCustomer, ListCustomers
from cqrs_app.orders.queries.order_list import ListOrders
from cqrs_app.web import asking
from cqrs_app.web.blueprint import bp
from cqrs_app.web.exports import downloads
from cqrs_app.web.listing import asked, here, page_size, pager, sorts

HIGHEST_FIRST = MappingProxyType(
    {"customer_id": False, "name": False, "orders": True, "placed_value": True}
)
ORDERS_SHOWN = 25


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """One page of the accounts that fit."""
    try:
        question = asked(ListCustomers, **page_size())
    except Invalid as invalid:
        raise Invalid("The address of this list", invalid.problems) from invalid
    answer = asking.ask(question)
    return render_template(
        "customers/customers.html",
        page=answer.value,
        freshness=answer.freshness,
        q=question.q,
        sort=sorts("web.customers", HIGHEST_FIRST, question.sort, descending=question.descending),
        pager=pager("web.customers", answer.value.next, answer.value.previous),
        elsewhere=any(request.args.get(name) for name in ("after", "before")),
        first_url=here("web.customers"),
        downloads=downloads(ListCustomers),
    )


@bp.get("/customers/<customer_id>")
def customer(customer_id: str) -> ResponseReturnValue:
    """One customer."""
    try:
        question = GetCustomer(customer_id=customer_id)
    except Invalid:
        # No customer can have this number.
        abort(404, f"There is no customer {customer_id}.")
    answer = asking.ask(question)
    if answer.value is None:
        abort(404, f"There is no customer {customer_id}.")
    orders = asking.ask(ListOrders(customer_id=customer_id, limit=ORDERS_SHOWN))
    return render_template(
        "customers/customer.html",
        customer=answer.value,
        freshness=answer.freshness,
        orders=orders.value,
        orders_freshness=orders.freshness,
        credit_notes=sum(account.credit_notes for account in answer.value.accounts),
        may_credit=asking.may("credit_notes.record"),
    )
