"""When each action on a customer is allowed, and the sentence where it is not."""

from __future__ import annotations

from cqrs_app.areas.customers.state import CustomerState
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel import Refusal, Refused, rule

ERASED = Refusal("customer_erased", "The customer was erased; the number stays taken.")
UNKNOWN = Refusal("no_such_customer", "No customer is registered under this number.")
EXISTS = Refusal("customer_exists", "The number was used before.")
ALREADY_DEACTIVATED = Refusal("already_deactivated", "The customer is already deactivated.")
NOT_DEACTIVATED = Refusal("not_deactivated", "The customer is active.")
MERGED = Refusal("customer_merged", "The customer was merged into another.")
NOT_KEPT = Refusal(
    "customer_not_kept", "The customer to keep is not registered, was erased or merged."
)
EMAIL_TAKEN = Refusal("email_taken", "Another customer has this e-mail address.")


@rule(ERASED, EXISTS)
def unused(customer: CustomerState, customer_id: str) -> None:
    """A number is used once, even after the customer was erased."""
    if customer.status is CustomerStatus.ERASED:
        raise _erased(customer)
    if customer.status is not None:
        raise EXISTS.because(
            f"There is a customer {customer.customer_id} already.",
            "Choose another number, or update that customer's profile.",
        )


@rule(ERASED, UNKNOWN, MERGED)
def registered(customer: CustomerState, customer_id: str) -> None:
    """Also while deactivated."""
    if customer.status is None:
        raise UNKNOWN.because(
            "No customer is registered under this number.",
            "Register the customer first; one who is known from orders keeps the number.",
        )
    if customer.status is CustomerStatus.ERASED:
        raise _erased(customer)
    if customer.status is CustomerStatus.MERGED:
        raise MERGED.because(
            f"Customer {customer.customer_id} was merged into {customer.into}.",
            f"Use customer {customer.into}.",
        )


@rule(ALREADY_DEACTIVATED, after=registered)
def not_deactivated(customer: CustomerState, customer_id: str) -> None:
    if customer.status is CustomerStatus.DEACTIVATED:
        raise ALREADY_DEACTIVATED.because(
            f"Customer {customer.customer_id} is already deactivated."
        )


@rule(NOT_DEACTIVATED, after=registered)
def deactivated(customer: CustomerState, customer_id: str) -> None:
    if customer.status is CustomerStatus.ACTIVE:
        raise NOT_DEACTIVATED.because(f"Customer {customer.customer_id} is active.")


def email_taken() -> Refused:
    """Does not name the address: the sentences of refusals are stored."""
    return EMAIL_TAKEN.because(
        "Another customer has this e-mail address.",
        "Use another address, or change that customer's first.",
    )


def _erased(customer: CustomerState) -> Refused:
    return ERASED.because(
        f"Customer {customer.customer_id} was erased, and what was erased cannot come back.",
        "Register the person under a new number.",
    )
