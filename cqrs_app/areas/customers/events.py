"""What happened to customers."""

from __future__ import annotations

from typing import Annotated

from cqrs_app.kernel import PERSONAL, Event, event

Personal = Annotated[str, PERSONAL]


@event()
class CustomerRegistered(Event):
    customer_id: str
    name: Personal
    email: Personal
    phone: Personal
    country: str


@event()
class CustomerEmailChanged(Event):
    customer_id: str
    email: Personal


@event()
class CustomerProfileUpdated(Event):
    customer_id: str
    name: Personal
    phone: Personal
    country: str


@event()
class CustomerAddressChanged(Event):
    """Where new orders are shipped. Empty: not known."""

    customer_id: str
    line1: Personal
    line2: Personal
    postal_code: Personal
    city: Personal


@event()
class CustomerDeactivated(Event):
    customer_id: str
    reason: Personal


@event()
class CustomerReactivated(Event):
    customer_id: str


@event()
class CustomerMerged(Event):
    """The customer and `into` are the same person; `into` is the number used from now on. Its owner
    also owns the personal data recorded under this number.
    """

    customer_id: str
    into: str


@event()
class CustomerErased(Event):
    """Follows the kernel's SubjectErased, which makes the values unreadable."""

    customer_id: str
    reason: str
