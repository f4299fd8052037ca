"""What may be done with a customer now, and why not the rest: the rules, asked without doing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cqrs_app.areas.customers import commands, rules
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command


@dataclass(frozen=True, slots=True)
class CustomerAction:
    """One task: the command's name and label; `reason` is a sentence where it is not allowed."""

    command: str
    label: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerPossible:
    """What may be done with a customer at this version; 0: not registered."""

    version: int
    actions: tuple[CustomerAction, ...]


_ASKED: tuple[tuple[type[Command], Callable[[Customer], None]], ...] = (
    (commands.RegisterCustomer, rules.may_register),
    (commands.UpdateCustomerProfile, rules.may_change),
    (commands.ChangeCustomerEmail, rules.may_change),
    (commands.ReactivateCustomer, rules.may_reactivate),
    (commands.DeactivateCustomer, rules.may_deactivate),
    (commands.EraseCustomer, rules.may_change),
)


def possible(question: object, customer: Customer, version: int) -> CustomerPossible:
    """The answer to CustomerActions, in the order in which a page offers the tasks."""
    return CustomerPossible(version, tuple(_action(*asked, customer) for asked in _ASKED))


def _action(
    command: type[Command], may: Callable[[Customer], None], customer: Customer
) -> CustomerAction:
    name, label = command.__name__, command.declaration.label
    try:
        may(customer)
    except Refused as refusal:
        return CustomerAction(name, label, allowed=False, reason=refusal.sentence)
    return CustomerAction(name, label, allowed=True, reason="")
