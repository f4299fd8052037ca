"""Orders in the search: by number, tracking number, words, and a customer's e-mail or phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import url_for

from cqrs_app.areas.customers.queries import ListRegisteredCustomers, is_contact
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.interfaces.web.areas.area import Finder, Hit
from cqrs_app.interfaces.web.areas.finding import by_number, same_number, unique
from cqrs_app.interfaces.web.ask import ask, may
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.services import services

MOST_CUSTOMERS = 3
"""If more customers than this match, their orders are not searched."""
OF_EACH = 3


def find(text: str, most: int) -> Iterator[Hit]:
    for _, row in unique((each.order_id, each) for each in _rows(text, most)):
        numbers = (row.order_id, row.tracking)
        yield _hit(row, exact=any(same_number(text, each) for each in numbers))


def _rows(text: str, most: int) -> Iterator[Any]:
    if exact := by_number(GetOrder, "order_id", text):
        yield exact
    yield from ask(ListOrders(q=text, limit=most)).value.rows
    # Orders hold no e-mail address or phone number; they are found through the customer who has it.
    if is_contact(text) and may("customers.view"):
        customers = ask(ListRegisteredCustomers(q=text, limit=MOST_CUSTOMERS + 1)).value.rows
        for each in customers if len(customers) <= MOST_CUSTOMERS else ():
            mine = ListOrders(customer_id=each.customer_id, limit=OF_EACH)
            yield from ask(mine).value.rows


def _hit(row: Any, *, exact: bool) -> Hit:
    total = formats_of(services.settings.locale).money(row.total, row.currency)
    details = (row.customer_name or row.customer_id or "Guest", row.stage.label, total)
    return Hit(row.order_id, url_for("web.order", order_id=row.order_id), details, exact)


ORDERS = Finder("Orders", "package", "orders.view", find, all="web.orders")
