"""What people do with customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.customers.types import (
    City,
    CustomerId,
    Email,
    EmailOrNone,
    ErasureReason,
    Name,
    Phone,
    PostalCode,
    SecondLine,
    Street,
    WrittenReason,
)
from cqrs_app.areas.types import ID_CHARACTERS, CountryOrNone
from cqrs_app.kernel import NEEDED, Command, Permission, Role, command

ERASE = Permission("customers.erase", Role.ADMIN)

MANAGE = Permission("customers.manage", Role.OPERATOR)
DEACTIVATE = Permission("customers.deactivate", Role.SUPERVISOR)


@command(label="Register customer", permission=MANAGE)
class RegisterCustomer(Command):
    """Add a customer, new or known from orders."""

    customer_id: Annotated[CustomerId, Meta(extra={"help": ID_CHARACTERS})]
    name: Name = ""
    email: EmailOrNone = ""
    phone: Phone = ""
    country: CountryOrNone = ""


@command(label="Change e-mail", permission=MANAGE, minds_version=True)
class ChangeCustomerEmail(Command):
    """Change the customer's e-mail address."""

    customer_id: CustomerId
    email: Email


@command(label="Update profile", permission=MANAGE, minds_version=True)
class UpdateCustomerProfile(Command):
    """Change the customer's details."""

    customer_id: CustomerId
    name: Name = ""
    phone: Phone = ""
    country: CountryOrNone = ""


@command(label="Change address", permission=MANAGE, minds_version=True)
class ChangeCustomerAddress(Command):
    """Ship new orders there, in the customer's country, unless they say otherwise."""

    customer_id: CustomerId
    line1: Street = ""
    line2: SecondLine = ""
    postal_code: PostalCode = ""
    city: City = ""

    def check(self) -> Iterator[tuple[str, str]]:
        if any((self.line1, self.line2, self.postal_code, self.city)):
            for name in ("line1", "city"):
                if not getattr(self, name):
                    yield name, NEEDED


@command(label="Deactivate customer", permission=DEACTIVATE, minds_version=True, risky=True)
class DeactivateCustomer(Command):
    """Stop accepting orders from this customer."""

    customer_id: CustomerId
    reason: WrittenReason


@command(label="Reactivate customer", permission=DEACTIVATE, minds_version=True)
class ReactivateCustomer(Command):
    """Accept orders from this customer again."""

    customer_id: CustomerId


@command(
    label="Merge customer",
    permission=Permission("customers.merge", Role.SUPERVISOR),
    minds_version=True,
    risky=True,
)
class MergeCustomers(Command):
    """Make this customer's orders, accounts and credit notes those of another number of the same
    person. This cannot be undone."""

    customer_id: CustomerId
    into: Annotated[CustomerId, Meta(title="Customer to keep", examples=["12584"])]

    def check(self) -> Iterator[tuple[str, str]]:
        if self.into == self.customer_id:
            yield "into", "Choose another customer."


@command(label="Erase customer", permission=ERASE, minds_version=True, risky=True, step_up=True)
class EraseCustomer(Command):
    """Make everything personal about the customer unreadable, for good: here and in their orders.
    This cannot be undone. The orders and their amounts stay."""

    customer_id: CustomerId
    reason: ErasureReason
