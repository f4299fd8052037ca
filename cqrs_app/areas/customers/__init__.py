"""Customers: registered, corrected, deactivated, erased."""

from __future__ import annotations

from cqrs_app.areas.customers import events, queries, receipt
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.customers.merging import customer_to_keep
from cqrs_app.areas.customers.projections import CustomerProfilesProjection
from cqrs_app.kernel import Area, actions_of, projected

CUSTOMERS = Area(
    name="customers",
    aggregates=[Customer],
    events=events,
    middleware=[customer_to_keep],
    projections=[CustomerProfilesProjection()],
    answers={
        queries.ChooseCustomers: projected(queries.choose_customers),
        queries.ListRegisteredCustomers: projected(queries.list_registered_customers),
        queries.CountCustomerViews: projected(queries.count_customer_views),
        queries.CountCustomers: projected(queries.count_customers),
        queries.GetCustomerProfile: projected(
            queries.get_profile, aggregate=Customer, strong=queries.fold_profile
        ),
        queries.CustomerHistory: projected(
            queries.get_history, aggregate=Customer, strong=queries.fold_history
        ),
        receipt.ErasureReceipt: projected(receipt.erasure_receipt),
        queries.CustomerActions: actions_of(Customer),
    },
)
