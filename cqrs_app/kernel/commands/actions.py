"""Which commands an aggregate allows now, and why it refuses the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.messages.messages import Command


@dataclass(frozen=True, slots=True)
class Action:
    """One command, by its name and label; `reason` is a sentence if it is not allowed."""

    command: str
    label: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Possible:
    """The actions at this version of an aggregate; 0: it does not exist."""

    version: int
    actions: tuple[Action, ...]


def possible(
    handlers: Mapping[type[Command], Handler], aggregate: Aggregate, identity: str, version: int
) -> Possible:
    """Every command that has a rule, in the order in which the aggregate's class defines them.

    Empty if the aggregate does not exist and no command would create it.
    """
    actions = tuple(
        _action(command, handler, aggregate, identity)
        for command, handler in handlers.items()
        if handler.when is not None
    )
    there = version or any(action.allowed for action in actions)
    return Possible(version, actions if there else ())


def _action(
    command: type[Command], handler: Handler, aggregate: Aggregate, identity: str
) -> Action:
    objection = handler.objection(aggregate, identity)
    return Action(
        command=command.__name__,
        label=command.declaration.label,
        allowed=objection is None,
        reason=objection.why if objection else "",
    )
