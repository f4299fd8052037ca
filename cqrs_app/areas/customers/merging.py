"""Looks up the customer to keep before two customers are merged."""

from __future__ import annotations

from cqrs_app.areas.customers.commands import MergeCustomers
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.customers.events import CustomerErased, CustomerMerged
from cqrs_app.areas.customers.rules import NOT_KEPT
from cqrs_app.kernel.effects import Call, Proceed, Receipt


def customer_to_keep(call: Call, proceed: Proceed) -> Receipt:
    """Refuses merges that would form a circle or lead to a customer that does not exist."""
    command = call.command
    if isinstance(command, MergeCustomers):
        # Locked in one order, so that two merges of the same customers do not wait for each other.
        for customer_id in sorted((command.customer_id, command.into)):
            call.guard("customer_merge", Customer.stream_of(customer_id))
        past = call.past(Customer.stream_of(command.into))
        why = "is not registered" if not past else ""
        for event in past:
            if isinstance(event, CustomerErased):
                why = "was erased"
            elif isinstance(event, CustomerMerged):
                why = f"was merged into {event.into}"
        if why:
            raise NOT_KEPT.because(f"Customer {command.into} {why}.", "Choose another customer.")
    return proceed(call)
