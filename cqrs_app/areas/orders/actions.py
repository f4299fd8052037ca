"""What may be done with an order now, and why not the rest: the rules, asked without doing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cqrs_app.areas.orders import commands, rules
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command


@dataclass(frozen=True, slots=True)
class Action:
    """One task: the command's name and label; `reason` is a sentence where it is not allowed."""

    command: str
    label: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Possible:
    """What may be done with an order at this version of it."""

    version: int
    actions: tuple[Action, ...]


_ASKED: tuple[tuple[type[Command], Callable[[Order], None]], ...] = (
    (commands.ApproveOrder, rules.may_approve),
    (commands.ReleaseOrder, rules.may_release),
    (commands.ShipOrder, rules.may_ship),
    (commands.DeliverOrder, rules.may_deliver),
    (commands.HoldOrder, rules.may_hold),
    (commands.ChangeShippingAddress, rules.may_change_address),
    (commands.AddOrderNote, rules.may_note),
    (commands.RejectOrder, rules.may_reject),
    (commands.CancelOrder, rules.may_cancel),
)


def actions_of(order: Order) -> tuple[Action, ...]:
    """Every task for an existing order, in the order a page offers them."""
    return tuple(_action(command, may, order) for command, may in _ASKED)


def _action(command: type[Command], may: Callable[[Order], None], order: Order) -> Action:
    name, label = command.__name__, command.declaration.label
    try:
        may(order)
    except Refused as refusal:
        return Action(name, label, allowed=False, reason=refusal.sentence)
    return Action(name, label, allowed=True, reason="")


def possible(question: object, order: Order, version: int) -> Possible:
    """The answer to OrderActions; nothing is possible with an order that does not exist."""
    return Possible(version, actions_of(order) if version else ())
