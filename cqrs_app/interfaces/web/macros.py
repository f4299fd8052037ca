"""The macros that lists and pages offer for their things."""

from __future__ import annotations

from contextlib import suppress

from flask import g

from cqrs_app.interfaces.web.ask import NO_ANSWER, may, may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.places import place_of
from cqrs_app.interfaces.web.tasks import label_of_command
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.batches.commands import RUN
from cqrs_app.platform.macros.commands import VIEW
from cqrs_app.platform.macros.macros import Macro
from cqrs_app.platform.macros.steps import Step
from cqrs_app.services import kernel, services


@bp.app_template_global()
def macros_for(what: str) -> list[str]:
    """The names of those for the things of this list whose every step the operator may send; none
    while the write store is down."""
    if not (may_act(RUN) and may(VIEW)):
        return []
    with suppress(*NO_ANSWER):
        return [each.name for each in _macros() if _is_usable(each, what)]
    return []


@bp.app_template_global()
def step_in_words(text: str) -> str:
    """A step of a macro, such as "Hold order: reason other"."""
    step = Step.from_text(text)
    fields = ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else ' and '.join(value)}"
        for name, value in step.fields.items()
    )
    label = label_of_command(step.command)
    return f"{label}: {fields}" if fields else label


def commands_of(name: str) -> list[type[Command]]:
    """The commands of the macro of this name; none if there is no such macro."""
    return [cls for each in _macros() if each.has(name) for cls in _commands(each) if cls]


def is_of(cls: type[Command], what: str) -> bool:
    """Whether a command is about the things of this list."""
    place = place_of(cls)
    return place is not None and place.tab == what


def _macros() -> list[Macro]:
    return services.batches.macros(g.operator.actor)


def _commands(macro: Macro) -> list[type[Command] | None]:
    """None for one that this release does not have."""
    names = (Step.from_text(each).command for each in macro.steps)
    return [kernel.registry.commands.get(each) for each in names]


def _is_usable(macro: Macro, what: str) -> bool:
    return all(
        cls is not None and is_of(cls, what) and may_act(cls.declaration.permission)
        for cls in _commands(macro)
    )
