"""A customer: who may be registered, and what becomes of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.areas.customers import rules
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
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, Decision
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.erasure import SubjectErased


@dataclass
class Customer(Aggregate):
    category: ClassVar[str] = "customer"
    identity: ClassVar[str] = "customer_id"

    customer_id: str = ""
    status: CustomerStatus | None = None

    def register(self, command: RegisterCustomer) -> Decision:
        rules.may_register(self)
        yield _claimed(command.email)
        yield CustomerRegistered(
            customer_id=command.customer_id,
            name=command.name,
            email=command.email,
            phone=command.phone,
            country=command.country,
        )

    def change_email(self, command: ChangeCustomerEmail) -> Decision:
        rules.may_change(self)
        yield _claimed(command.email)
        yield CustomerEmailChanged(customer_id=command.customer_id, email=command.email)

    def update_profile(self, command: UpdateCustomerProfile) -> Decision:
        rules.may_change(self)
        yield CustomerProfileUpdated(
            customer_id=command.customer_id,
            name=command.name,
            phone=command.phone,
            country=command.country,
        )

    def deactivate(self, command: DeactivateCustomer) -> Decision:
        rules.may_deactivate(self)
        yield CustomerDeactivated(customer_id=command.customer_id, reason=command.reason)

    def reactivate(self, command: ReactivateCustomer) -> Decision:
        rules.may_reactivate(self)
        yield CustomerReactivated(customer_id=command.customer_id)

    def erase(self, command: EraseCustomer) -> Decision:
        rules.may_change(self)
        yield _claimed("")
        yield SubjectErased(subject=self.stream_of(command.customer_id))
        yield CustomerErased(customer_id=command.customer_id, reason=command.reason)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case CustomerRegistered():
                self.customer_id, self.status = event.customer_id, CustomerStatus.ACTIVE
            case CustomerDeactivated():
                self.status = CustomerStatus.DEACTIVATED
            case CustomerReactivated():
                self.status = CustomerStatus.ACTIVE
            case CustomerErased():
                self.status = CustomerStatus.ERASED


def _claimed(email: str) -> Claim:
    """Capital letters make no other address."""
    return Claim("customer_email", email.casefold(), rules.email_taken())
