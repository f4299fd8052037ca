"""The state of a customer, as far as the rules need it: nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.areas.customers.events import (
    CustomerDeactivated,
    CustomerErased,
    CustomerMerged,
    CustomerReactivated,
    CustomerRegistered,
)
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel import Aggregate, Event


@dataclass
class CustomerState(Aggregate):
    category: ClassVar[str] = "customer"
    identity: ClassVar[str] = "customer_id"
    shape: ClassVar[int] = 2

    customer_id: str = ""
    status: CustomerStatus | None = None
    into: str = ""

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
            case CustomerMerged():
                self.status, self.into = CustomerStatus.MERGED, event.into
