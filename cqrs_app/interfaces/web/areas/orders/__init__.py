"""Orders: their list, one of them, credit notes and reports, and what Home shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import url_for

from cqrs_app.areas.orders.commands import ChangeShippingAddress, PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.queries.one_order import GetOrder
from cqrs_app.areas.orders.queries.order_list import ListOrders
from cqrs_app.interfaces.web.areas.area import Place, WebArea, free_number
from cqrs_app.interfaces.web.areas.orders import home, order, order_list, reports  # noqa: F401 - pages
from cqrs_app.interfaces.web.ask import ask


def _present_address(given: Mapping[str, str]) -> dict[str, Any]:
    if "order_id" not in given:
        return {}
    # From its events, which are never behind and there while the read store is down.
    found = ask(GetOrder(order_id=given["order_id"]), strong=True).value
    return {"address": asdict(found.shipping_address)} if found else {}


def _new_order(given: Mapping[str, str]) -> dict[str, Any]:
    """A free number, and the currency of the newest order."""
    newest = ask(ListOrders(limit=1)).value.rows
    currency = {"currency": newest[0].currency} if newest else {}
    return free_number("order_id", "W")(given) | currency


def _page_of_customer(command: RecordCreditNote) -> str:
    if not command.customer_id:
        return ""
    return url_for("web.customer", customer_id=command.customer_id)


ORDERS = WebArea(
    places={
        "order": Place("orders", "web.orders", "web.order", fragment=order.order_fragment),
        "credit_note": Place("customers", "web.credit_notes", after=_page_of_customer),
    },
    suggestions={
        ChangeShippingAddress: _present_address,
        PlaceOrder: _new_order,
        RecordCreditNote: free_number("credit_note_id", "CN"),
    },
    home_panels={"waiting": home.waiting, "today": home.today, "chart": home.chart},
)
