"""What other areas say of an order, beside it: its fulfilment, its payments, its stock,
its customer."""

from __future__ import annotations

from typing import Any

from cqrs_app.areas.customers.queries import VIEW as SEE_CUSTOMERS
from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.areas.fulfilment.commands import VIEW as SEE_FULFILMENT
from cqrs_app.areas.fulfilment.queries import GetFulfilment
from cqrs_app.areas.inventory.commands import VIEW as SEE_STOCK
from cqrs_app.areas.inventory.queries.one_product import StockOfOrder
from cqrs_app.areas.orders.queries.customers import GetCustomer
from cqrs_app.areas.payments.queries.lists import VIEW as SEE_PAYMENTS
from cqrs_app.areas.payments.queries.lists import OrderPayments
from cqrs_app.interfaces.web.ask import ask, may
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import Answer

Panels = dict[str, Answer[Any] | None]


def panels_of(order_id: str, customer_id: str) -> Panels:
    """By name; None for what the operator may not see, and for the customer of a guest's order."""
    questions: dict[str, tuple[str, Query]] = {
        "fulfilment": (SEE_FULFILMENT, GetFulfilment(order_id=order_id)),
        "payments": (SEE_PAYMENTS, OrderPayments(order_id=order_id)),
        "stock": (SEE_STOCK, StockOfOrder(order_id=order_id)),
    }
    if customer_id:
        questions["customer"] = (SEE_CUSTOMERS, GetCustomerProfile(customer_id=customer_id))
        questions["account"] = (SEE_CUSTOMERS, GetCustomer(customer_id=customer_id))
    return dict.fromkeys(("customer", "account")) | {
        name: ask(question) if may(permission) else None
        for name, (permission, question) in questions.items()
    }
