"""What other areas say of an order, beside it: its fulfilment, its payments, its stock,
its customer."""

from __future__ import annotations

from typing import Any

from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.areas.fulfilment.queries import GetFulfilment
from cqrs_app.areas.inventory.queries.one_product import StockOfOrder
from cqrs_app.areas.orders.queries.customers import GetCustomer
from cqrs_app.areas.payments.queries.lists import OrderPayments
from cqrs_app.interfaces.web.ask import ask_if_allowed
from cqrs_app.kernel.queries.context import Answer


def panels_of(order_id: str, customer_id: str) -> dict[str, Answer[Any] | None]:
    """By name; None for what the operator may not see, and for the customer of a guest's order."""
    panels = {
        "fulfilment": ask_if_allowed(GetFulfilment(order_id=order_id)),
        "payments": ask_if_allowed(OrderPayments(order_id=order_id)),
        "stock": ask_if_allowed(StockOfOrder(order_id=order_id)),
        "customer": None,
        "account": None,
    }
    if customer_id:
        panels["customer"] = ask_if_allowed(GetCustomerProfile(customer_id=customer_id))
        panels["account"] = ask_if_allowed(GetCustomer(customer_id=customer_id))
    return panels
