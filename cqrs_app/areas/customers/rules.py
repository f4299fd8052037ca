"""When a customer allows what: asked by the task and by the customer's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel.errors import Refused

if TYPE_CHECKING:
    from cqrs_app.areas.customers.customer import Customer


def may_register(customer: Customer) -> None:
    """A number is used once, also after the customer was erased."""
    if customer.status is CustomerStatus.ERASED:
        raise _erased(customer)
    if customer.status is not None:
        raise Refused(
            "customer_exists",
            f"There is a customer {customer.customer_id} already. Nothing was changed. "
            "Choose another number, or update that customer's profile.",
        )


def may_change(customer: Customer) -> None:
    """Also while deactivated."""
    if customer.status is None:
        raise Refused(
            "no_such_customer",
            "No customer is registered under this number. Nothing was changed. "
            "Register the customer first; one who is known from orders keeps the number.",
        )
    if customer.status is CustomerStatus.ERASED:
        raise _erased(customer)


def may_deactivate(customer: Customer) -> None:
    may_change(customer)
    if customer.status is CustomerStatus.DEACTIVATED:
        raise Refused(
            "already_deactivated",
            f"Customer {customer.customer_id} is deactivated already. Nothing was changed.",
        )


def may_reactivate(customer: Customer) -> None:
    may_change(customer)
    if customer.status is CustomerStatus.ACTIVE:
        raise Refused(
            "not_deactivated",
            f"Customer {customer.customer_id} is active. Nothing was changed.",
        )


def email_taken() -> Refused:
    """Without the address: what a refusal says is kept."""
    return Refused(
        "email_taken",
        "Another customer has this e-mail address. Nothing was changed. Use another address, or "
        "change that customer's first.",
    )


def _erased(customer: Customer) -> Refused:
    return Refused(
        "customer_erased",
        f"Customer {customer.customer_id} was erased, and what was erased cannot come back. "
        "Nothing was changed. Register the person under a new number.",
    )
