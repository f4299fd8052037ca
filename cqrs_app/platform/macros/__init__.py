"""Macros: several commands under one name, one person's or the team's. They are carried out as
batches, whose items are the commands in order: see `platform/batches`."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed, check_permission
from cqrs_app.kernel.queries.answers import from_state
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.macros import events
from cqrs_app.platform.macros.commands import SHARE, DeleteMacro, RenameMacro, SaveMacro
from cqrs_app.platform.macros.macros import NOT_YOURS, Macros
from cqrs_app.platform.macros.queries import ListMacros, list_macros
from cqrs_app.platform.macros.steps import Routes, Step, check_steps
from cqrs_app.platform.views.commands import TEAM
from cqrs_app.platform.views.rules import may_ask, require_owner


def macros_area(areas: Sequence[Area]) -> Area:
    """The area; the steps of a macro may be commands of `areas`."""
    routes = {
        cls.__name__: (cls, handler) for area in areas for cls, handler in area.handlers.items()
    }
    return Area(
        name="macros",
        aggregates=[Macros],
        events=events,
        answers={ListMacros: from_state(Macros, list_macros, allowed=may_ask(NOT_YOURS))},
        middleware=[usable_macros(routes)],
        permissions=[SHARE],
    )


def usable_macros(routes: Routes) -> Middleware:
    """Refuse another person's macros, and steps that nothing could carry out. Of the team's, whose
    steps others send by their name alone, also those that whoever names them may not send."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, SaveMacro | RenameMacro | DeleteMacro):
            require_owner(command, call.context.actor, SHARE, NOT_YOURS)
        if isinstance(command, SaveMacro):
            check_steps(command.steps, routes)
        if isinstance(command, SaveMacro | RenameMacro) and command.owner == TEAM:
            for name in _commands_of(call, command):
                if name in routes:
                    check_permission(routes[name][0], call.context)
        return proceed(call)

    return check


def _commands_of(call: Call, command: SaveMacro | RenameMacro) -> list[str]:
    """The names of the commands that get the name."""
    if isinstance(command, SaveMacro):
        steps = command.steps
    else:
        known = Macros()
        for event in call.past(call.stream):
            known.evolve(event, call.received_at)
        found = known.find(command.macro)
        steps = found.steps if found else ()
    return [Step.from_text(each).command for each in steps]
