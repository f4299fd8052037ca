"""Orders: placed, approved, held, shipped, cancelled; and credit notes for customers. Queries about
orders are in desk.
"""

from __future__ import annotations

from cqrs_app.areas.orders import events, queries
from cqrs_app.areas.orders.assigning import take_personal_data_along
from cqrs_app.areas.orders.credit_note import CreditNote
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel import Area, actions_of

ORDERS = Area(
    name="orders",
    aggregates=[Order, CreditNote],
    events=events,
    middleware=[take_personal_data_along],
    upcasters=events.UPCASTERS,
    answers={queries.OrderActions: actions_of(Order)},
)
