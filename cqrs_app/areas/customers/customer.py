"""A customer: its actions, in the order in which the page offers them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cqrs_app.areas.customers.commands import (
    ChangeCustomerAddress,
    ChangeCustomerEmail,
    DeactivateCustomer,
    EraseCustomer,
    MergeCustomers,
    ReactivateCustomer,
    RegisterCustomer,
    UpdateCustomerProfile,
)
from cqrs_app.areas.customers.events import (
    CustomerAddressChanged,
    CustomerDeactivated,
    CustomerEmailChanged,
    CustomerErased,
    CustomerMerged,
    CustomerProfileUpdated,
    CustomerReactivated,
    CustomerRegistered,
)
from cqrs_app.areas.customers.rules import (
    EMAIL_TAKEN,
    NOT_KEPT,
    deactivated,
    email_taken,
    not_deactivated,
    registered,
    unused,
)
from cqrs_app.areas.customers.state import CustomerState
from cqrs_app.areas.types import UNKNOWN_COUNTRY, unknown_country
from cqrs_app.kernel import (
    Claim,
    Command,
    Decision,
    Event,
    Ownership,
    Refused,
    SubjectErased,
    handles,
)
from cqrs_app.standards.email import email_key

EMAIL = "customer_email"
"""The kind of claim that an e-mail address makes."""


@dataclass
class Customer(CustomerState):
    """One registered customer."""

    @handles(RegisterCustomer, when=unused, refusals=[UNKNOWN_COUNTRY, EMAIL_TAKEN])
    def register(self, command: RegisterCustomer) -> Decision:
        yield from unknown_country(command.country)
        yield _claimed(command.email)
        yield CustomerRegistered(
            customer_id=command.customer_id,
            name=command.name,
            email=command.email,
            phone=command.phone,
            country=command.country,
        )

    @handles(UpdateCustomerProfile, when=registered, refusals=[UNKNOWN_COUNTRY])
    def update_profile(self, command: UpdateCustomerProfile) -> Decision:
        yield from unknown_country(command.country)
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

    @handles(ChangeCustomerAddress, when=registered)
    def change_address(self, command: ChangeCustomerAddress) -> Decision:
        yield CustomerAddressChanged(
            customer_id=command.customer_id,
            line1=command.line1,
            line2=command.line2,
            postal_code=command.postal_code,
            city=command.city,
        )

    @handles(ReactivateCustomer, when=deactivated)
    def reactivate(self, command: ReactivateCustomer) -> Decision:
        yield CustomerReactivated(customer_id=command.customer_id)

    @handles(DeactivateCustomer, when=not_deactivated)
    def deactivate(self, command: DeactivateCustomer) -> Decision:
        yield CustomerDeactivated(customer_id=command.customer_id, reason=command.reason)

    @handles(MergeCustomers, when=registered, refusals=[NOT_KEPT])
    def merge(self, command: MergeCustomers) -> Decision:
        yield _claimed("")
        yield CustomerMerged(customer_id=command.customer_id, into=command.into)
        yield Ownership(self.stream_of(command.customer_id), self.stream_of(command.into))

    @handles(EraseCustomer, when=registered)
    def erase(self, command: EraseCustomer) -> Decision:
        yield _claimed("")
        yield SubjectErased(subject=self.stream_of(command.customer_id))
        yield CustomerErased(customer_id=command.customer_id, reason=command.reason)

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """Imported history may have a country that is not in ISO 3166."""
        if objection.code != UNKNOWN_COUNTRY.code:
            raise objection
        return None


def _claimed(email: str) -> Claim:
    """Two spellings of one address make the same claim."""
    return Claim(EMAIL, email_key(email) if email else "", email_taken())
