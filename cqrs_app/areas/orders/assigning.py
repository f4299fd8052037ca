"""Assigning an order to a customer takes its personal data along. The order's state holds none of
it: it is read from the order's events and passed to the decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from cqrs_app.areas.orders.commands import AssignOrderToCustomer
from cqrs_app.areas.orders.events import (
    Address,
    BillingAddressChanged,
    OrderAssigned,
    OrderPlaced,
    ShippingAddressChanged,
)
from cqrs_app.kernel import Event
from cqrs_app.kernel.effects import Call, Proceed, Receipt

_NOWHERE = Address()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToAssign(AssignOrderToCustomer):
    """The command with the customer's data from the order's events."""

    country: str = ""
    shipping_address: Address = _NOWHERE
    billing_address: Address = _NOWHERE


def take_personal_data_along(call: Call, proceed: Proceed) -> Receipt:
    """Completes the command; if the order changes meanwhile, it is read again."""
    command = call.completed or call.command
    if isinstance(command, AssignOrderToCustomer):
        past = call.past(call.stream)
        call.completed, call.completed_at = _completed(command, past), len(past)
    return proceed(call)


def order_to_assign(command: AssignOrderToCustomer) -> OrderToAssign:
    """The command, completed or not."""
    if isinstance(command, OrderToAssign):
        return command
    return OrderToAssign(**{field.name: getattr(command, field.name) for field in fields(command)})


def _completed(command: AssignOrderToCustomer, past: Iterable[Event]) -> OrderToAssign:
    order, name = order_to_assign(command), ""
    for event in past:
        match event:
            case OrderPlaced() | OrderAssigned():
                name = event.customer_name
                order = replace(
                    order,
                    country=event.country,
                    shipping_address=event.shipping_address,
                    billing_address=event.billing_address,
                )
            case ShippingAddressChanged():
                order = replace(order, shipping_address=event.address)
            case BillingAddressChanged():
                order = replace(order, billing_address=event.address)
    return replace(order, customer_name=order.customer_name or name)
