"""The customer of a new order must be registered and active; their profile completes the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from cqrs_app.areas.checks.types import Checks, Misfit, react
from cqrs_app.areas.customers.events import (
    CustomerAddressChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerMerged,
    CustomerProfileUpdated,
    CustomerReactivated,
    CustomerRegistered,
)
from cqrs_app.areas.orders.commands import AssignOrderToCustomer, PlaceOrder
from cqrs_app.areas.orders.rules import INACTIVE_CUSTOMER, UNKNOWN_CUSTOMER
from cqrs_app.areas.orders.types import ShippingAddress
from cqrs_app.kernel import Command, Event
from cqrs_app.kernel.effects import Call, Middleware, Proceed, Receipt


@dataclass(slots=True)
class Profile:
    """A customer folded from their events; `why_inactive` is empty while they are active."""

    registered: bool = False
    why_inactive: str = ""
    merged_into: str = ""
    name: str = ""
    country: str = ""
    address: CustomerAddressChanged | None = None


def customers_match(checks: Checks) -> Middleware:
    """Checks and completes new orders, and orders that are assigned to a customer."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command: Any = call.command
        live = call.context.occurred_at is None
        if live and isinstance(command, PlaceOrder | AssignOrderToCustomer) and command.customer_id:
            customer_id, profile = _followed(call, command.customer_id)
            if customer_id != command.customer_id:
                # Later middleware and the order see the number that is used now.
                whole: Any = call.completed or command
                call.completed = command = replace(whole, customer_id=customer_id)
            react(call, checks.unknown_customers, _unknown(command, profile))
            react(call, checks.inactive_customers, _inactive(command, profile))
            call.completed = completed(
                cast(Any, call.completed) or command, command.customer_name, profile
            )
        return proceed(call)

    return check


def _followed(call: Call, customer_id: str) -> tuple[str, Profile]:
    """The customer, or the one they were merged into."""
    profile = profile_of(call.past(f"customer-{customer_id}"))
    while profile.merged_into:
        customer_id = profile.merged_into
        profile = profile_of(call.past(f"customer-{customer_id}"))
    return customer_id, profile


def profile_of(events: Iterable[Event]) -> Profile:
    profile = Profile()
    for event in events:
        match event:
            case CustomerRegistered():
                profile = Profile(registered=True, name=event.name, country=event.country)
            case CustomerProfileUpdated():
                profile.name, profile.country = event.name, event.country
            case CustomerAddressChanged():
                profile.address = event
            case CustomerDeactivated():
                profile.why_inactive = "deactivated"
            case CustomerReactivated():
                profile.why_inactive = ""
            case CustomerMerged():
                profile.merged_into = event.into
            case CustomerErased():
                profile = Profile(registered=True, why_inactive="erased")
    return profile


def completed(command: PlaceOrder | AssignOrderToCustomer, name: str, profile: Profile) -> Command:
    """The command with its empty fields filled from the profile; `name` is the given one."""
    name = name or profile.name or command.customer_name
    if isinstance(command, AssignOrderToCustomer):
        return replace(command, customer_name=name)
    address, known = command.shipping_address, profile.address
    if known and known.line1 and address == ShippingAddress():
        address = ShippingAddress(
            name=name,
            line1=known.line1,
            line2=known.line2,
            postal_code=known.postal_code,
            city=known.city,
            country=profile.country,
        )
    country = command.country or address.country or profile.country
    return replace(command, customer_name=name, shipping_address=address, country=country)


def _unknown(command: PlaceOrder | AssignOrderToCustomer, profile: Profile) -> Iterator[Misfit]:
    if not profile.registered:
        yield Misfit(
            UNKNOWN_CUSTOMER,
            f"No customer {command.customer_id} is registered.",
            f"Register the customer first{_or_guest(command)}.",
        )


def _inactive(command: PlaceOrder | AssignOrderToCustomer, profile: Profile) -> Iterator[Misfit]:
    if profile.why_inactive:
        yield Misfit(
            INACTIVE_CUSTOMER,
            f"Customer {command.customer_id} was {profile.why_inactive}.",
            f"Reactivate the customer first{_or_guest(command)}."
            if profile.why_inactive == "deactivated"
            else f"Register the person under a new number{_or_guest(command)}.",
        )


def _or_guest(command: PlaceOrder | AssignOrderToCustomer) -> str:
    return ", or leave the number empty for a guest" if isinstance(command, PlaceOrder) else ""
