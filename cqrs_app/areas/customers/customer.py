"""A customer: what may be done, in the order in which the page offers it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cqrs_app.areas.customers.commands import (
    ChangeCustomerEmail,
    DeactivateCustomer,
    EraseCustomer,
    ReactivateCustomer,
    RegisterCustomer,
    UpdateCustomerProfile,
)
from cqrs_app.areas.customers.events import (
    CustomerDeactivated,
    CustomerEmailChanged,
    CustomerErased,
    CustomerProfileUpdated,
    CustomerReactivated,
    CustomerRegistered,
)
from cqrs_app.areas.customers.rules import (
    EMAIL_TAKEN,
    deactivated,
    email_taken,
    not_deactivated,
    registered,
    unused,
)
from cqrs_app.areas.customers.state import CustomerState
from cqrs_app.kernel import Claim, Decision, SubjectErased, handles


@dataclass
class Customer(CustomerState):
    """One registered customer."""

    @handles(RegisterCustomer, when=unused, refusals=[EMAIL_TAKEN])
    def register(self, command: RegisterCustomer) -> Decision:
        yield _claimed(command.email)
        yield CustomerRegistered(
            customer_id=command.customer_id,
            name=command.name,
            email=command.email,
            phone=command.phone,
            country=command.country,
        )

    @handles(UpdateCustomerProfile, when=registered)
    def update_profile(self, command: UpdateCustomerProfile) -> Decision:
        yield CustomerProfileUpdated(
            customer_id=command.customer_id,
            name=command.name,
            phone=command.phone,
            country=command.country,
        )

    @handles(ChangeCustomerEmail, when=registered, refusals=[EMAIL_TAKEN])
    def change_email(self, command: ChangeCustomerEmail) -> Decision:
        yield _claimed(command.email)
        yield CustomerEmailChanged(customer_id=command.customer_id, email=command.email)

    @handles(ReactivateCustomer, when=deactivated)
    def reactivate(self, command: ReactivateCustomer) -> Decision:
        yield CustomerReactivated(customer_id=command.customer_id)

    @handles(DeactivateCustomer, when=not_deactivated)
    def deactivate(self, command: DeactivateCustomer) -> Decision:
        yield CustomerDeactivated(customer_id=command.customer_id, reason=command.reason)

    @handles(EraseCustomer, when=registered)
    def erase(self, command: EraseCustomer) -> Decision:
        yield _claimed("")
        yield SubjectErased(subject=self.stream_of(command.customer_id))
        yield CustomerErased(customer_id=command.customer_id, reason=command.reason)


def _claimed(email: str) -> Claim:
    """Capital letters make no other address."""
    return Claim("customer_email", email.casefold(), email_taken())
