"""Customers: the registered ones, accounts as orders show them, and one customer with both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.customers.commands import (
    ChangeCustomerAddress,
    ChangeCustomerEmail,
    ReactivateCustomer,
    RegisterCustomer,
    UpdateCustomerProfile,
)
from cqrs_app.areas.customers.queries import (
    CountCustomers,
    CustomerActions,
    CustomerHistory,
    GetCustomerProfile,
    ListRegisteredCustomers,
)
from cqrs_app.areas.customers.receipt import ErasureReceipt
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.areas.desk.queries.customers import CustomerView, GetCustomer, ListCustomers
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.interfaces.web.areas.area import Finder, Hit, Place, WebArea
from cqrs_app.interfaces.web.areas.customer_lookup import CUSTOMERS as LOOKUP
from cqrs_app.interfaces.web.areas.finding import by_number, same_number, unique
from cqrs_app.interfaces.web.ask import ask, ask_or_none, may, may_act, query_or_404
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import shown_columns
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.listing import asked_here, sorts, turning
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.tasks import allowed_tasks, selecting
from cqrs_app.interfaces.web.views import tabs_here
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import Answer

PROFILE_SORTS = MappingProxyType({"customer_id": False, "name": False, "registered_at": True})
ACCOUNT_SORTS = MappingProxyType(
    {"customer_id": False, "name": False, "orders": True, "placed_value": True}
)
"""Columns, and whether each is shown highest first."""

ORDERS_SHOWN = 25
BATCHED: tuple[type[Command], ...] = (ReactivateCustomer,)
"""The reason of `DeactivateCustomer` is about one person, and no field of a batch."""


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """One page of the registered customers that match."""
    listed = _listed(ListRegisteredCustomers, "web.customers", PROFILE_SORTS)
    counts = ask(CountCustomers())
    return render_template(
        "customers/customers.html",
        **listed,
        counts=counts.value,
        counts_freshness=counts.freshness,
        columns=shown_columns("customers"),
        views=tabs_here("customers"),
        **selecting(BATCHED),
        may_register=may_act("customers.manage"),
    )


# A customer's number cannot begin with a hyphen.
@bp.get("/customers/-/accounts")
def accounts() -> ResponseReturnValue:
    """One page of the accounts that match."""
    listed = _listed(ListCustomers, "web.accounts", ACCOUNT_SORTS)
    return render_template("customers/accounts.html", **listed)


@bp.get("/customers/<customer_id>")
def customer(customer_id: str) -> ResponseReturnValue:
    """One customer, registered or known from orders only."""
    missing = f"There is no customer {customer_id}."
    question = query_or_404(GetCustomer, missing, customer_id=customer_id)
    profile = query_or_404(GetCustomerProfile, missing, customer_id=customer_id)
    registered = _registered(customer_id, ask(profile, strong=True))
    is_registered = registered["version"] or registered["badges"].pending
    # None while the read store is down: the page says what it cannot show.
    known = ask_or_none(question)
    orders = ask_or_none(ListOrders(customer_id=customer_id, limit=ORDERS_SHOWN))
    account: CustomerView | None = known.value if known and orders else None
    if known and known.value is None and not is_registered:
        abort(404, missing)
    return render_template(
        "customers/customer.html",
        customer_id=customer_id,
        **registered,
        customer=account,
        freshness=known and known.freshness,
        orders=orders and orders.value,
        orders_freshness=orders and orders.freshness,
        unavailable=[] if known and orders else ["Account", "Orders", "Credit notes"],
        credit_notes=sum(each.credit_notes for each in account.accounts) if account else 0,
        may_credit=may_act("credit_notes.record"),
        may_place=may_act("orders.place"),
        may_see_commands=may("commands.view"),
    )


def _registered(customer_id: str, profile: Answer[Any]) -> dict[str, Any]:
    """Folded from the customer's own events: these are few, and never stale."""
    history = ask(CustomerHistory(customer_id=customer_id), strong=True)
    actions = ask(CustomerActions(customer_id=customer_id))
    version = actions.value.version
    allowed, not_now = allowed_tasks(actions.value.actions)
    shown: dict[str, Any] = {
        "profile": profile.value,
        "profile_freshness": profile.freshness,
        "timeline": history.value[::-1],
        "timeline_freshness": history.freshness,
        "version": version,
        "allowed": allowed,
        "not_now": not_now,
        "badges": badges_of("customer", {customer_id: version}, profile.freshness)[customer_id],
    }
    erased = profile.value is not None and profile.value.status is CustomerStatus.ERASED
    if erased and may("customers.erase"):
        receipt = ask(ErasureReceipt(customer_id=customer_id))
        shown |= {"receipt": receipt.value, "receipt_freshness": receipt.freshness}
    return shown


def _listed(
    cls: type[Query], endpoint: str, highest_first: MappingProxyType[str, bool]
) -> dict[str, Any]:
    """What the template of a list with filters needs."""
    question = asked_here(cls)
    answer = ask(question)
    return {
        "page": answer.value,
        "freshness": answer.freshness,
        "q": question.q,
        "status": getattr(question, "status", None),
        "sort": sorts(endpoint, highest_first, question.sort, descending=question.descending),
        "downloads": downloads(cls),
        **turning(endpoint, answer.value, question.limit),
    }


def _present_values(given: Mapping[str, str]) -> dict[str, Any]:
    """The registered profile, or else what the newest order says."""
    if "customer_id" not in given:
        return {}
    customer_id = given["customer_id"]
    profile = ask(GetCustomerProfile(customer_id=customer_id), strong=True).value
    known = profile or ask(GetCustomer(customer_id=customer_id)).value
    names = ("name", "email", "phone", "country", "line1", "line2", "postal_code", "city")
    return {name: getattr(known, name) for name in names if hasattr(known, name)}


def _find(text: str, most: int) -> Iterator[Hit]:
    """Registered customers, then those who are known from orders only."""
    for number, row in unique((each.customer_id, each) for each in _matching(text, most)):
        details = (row.name, getattr(row, "email", ""), row.country)
        yield Hit(
            number,
            url_for("web.customer", customer_id=number),
            tuple(filter(None, details)),
            same_number(text, number),
        )


def _matching(text: str, most: int) -> Iterator[Any]:
    if exact := by_number(GetCustomerProfile, "customer_id", text):
        yield exact
    yield from ask(ListRegisteredCustomers(q=text, limit=most)).value.rows
    yield from ask(ListCustomers(q=text, limit=most)).value.rows


CUSTOMERS = WebArea(
    places={"customer": Place("customers", "web.customers", "web.customer")},
    lookups={"customer": LOOKUP},
    suggestions={
        ChangeCustomerAddress: _present_values,
        ChangeCustomerEmail: _present_values,
        RegisterCustomer: _present_values,
        UpdateCustomerProfile: _present_values,
    },
    finders=(Finder("Customers", "users", "customers.view", _find, all="web.customers"),),
    starts=(RegisterCustomer,),
    batched=BATCHED,
)
