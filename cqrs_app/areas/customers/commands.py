"""What people do with customers."""

from __future__ import annotations

from cqrs_app.areas.customers.types import (
    CustomerId,
    Email,
    EmailOrNone,
    ErasureReason,
    Name,
    Phone,
    WrittenReason,
)
from cqrs_app.areas.types import CountryOrNone
from cqrs_app.kernel import Command, Permission, Role, command

ERASE = Permission("customers.erase", Role.ADMIN)

MANAGE = Permission("customers.manage", Role.OPERATOR)
DEACTIVATE = Permission("customers.deactivate", Role.SUPERVISOR)


@command(label="Register customer", permission=MANAGE)
class RegisterCustomer(Command):
    """Add a customer, new or known from orders."""

    customer_id: CustomerId
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


@command(label="Deactivate customer", permission=DEACTIVATE, minds_version=True, risky=True)
class DeactivateCustomer(Command):
    """Stop accepting orders from this customer."""

    customer_id: CustomerId
    reason: WrittenReason


@command(label="Reactivate customer", permission=DEACTIVATE, minds_version=True)
class ReactivateCustomer(Command):
    """Accept orders from this customer again."""

    customer_id: CustomerId


@command(label="Erase customer", permission=ERASE, minds_version=True, risky=True)
class EraseCustomer(Command):
    """Make everything personal about the customer unreadable, for good: here and in their orders.
    This cannot be undone. The orders and their amounts stay."""

    customer_id: CustomerId
    reason: ErasureReason
