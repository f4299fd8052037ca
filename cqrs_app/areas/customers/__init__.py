"""Customers: registered, corrected, deactivated, and erased for good."""

from __future__ import annotations

from cqrs_app.areas.customers import commands, events, queries, receipt
from cqrs_app.areas.customers.actions import possible
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.customers.projections import CustomerProfilesProjection
from cqrs_app.kernel.registry import Area, FromState, Strong

_ERASED = {"customer_erased": "The customer was erased; the number stays taken."}
_KNOWN = _ERASED | {"no_such_customer": "No customer is registered under this number."}
_TAKEN = {"email_taken": "Another customer has this e-mail address."}

CUSTOMERS = Area(
    name="customers",
    handles={
        Customer: {
            commands.RegisterCustomer: Customer.register,
            commands.ChangeCustomerEmail: Customer.change_email,
            commands.UpdateCustomerProfile: Customer.update_profile,
            commands.DeactivateCustomer: Customer.deactivate,
            commands.ReactivateCustomer: Customer.reactivate,
            commands.EraseCustomer: Customer.erase,
        }
    },
    refusals={
        commands.RegisterCustomer: _ERASED
        | _TAKEN
        | {"customer_exists": "The number was used before."},
        commands.ChangeCustomerEmail: _KNOWN | _TAKEN,
        commands.UpdateCustomerProfile: _KNOWN,
        commands.DeactivateCustomer: _KNOWN
        | {"already_deactivated": "The customer is deactivated already."},
        commands.ReactivateCustomer: _KNOWN | {"not_deactivated": "The customer is active."},
        commands.EraseCustomer: _KNOWN,
    },
    events=[
        events.CustomerRegistered,
        events.CustomerEmailChanged,
        events.CustomerProfileUpdated,
        events.CustomerDeactivated,
        events.CustomerReactivated,
        events.CustomerErased,
    ],
    projections=[CustomerProfilesProjection()],
    answers={
        queries.ListRegisteredCustomers: queries.list_registered_customers,
        queries.CountCustomers: queries.count_customers,
        queries.GetCustomerProfile: queries.get_profile,
        queries.CustomerHistory: queries.get_history,
        receipt.ErasureReceipt: receipt.erasure_receipt,
    },
    answers_strongly={
        queries.GetCustomerProfile: Strong(queries.stream_of, queries.fold_profile),
        queries.CustomerHistory: Strong(queries.stream_of, queries.fold_history),
    },
    answers_from_state={
        queries.CustomerActions: FromState(
            Customer, lambda question: question.customer_id, possible
        ),
    },
)
