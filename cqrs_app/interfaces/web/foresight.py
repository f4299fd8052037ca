"""The consequences of a command whose form is not submitted yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from cqrs_app.interfaces.web.areas import REMARKS
from cqrs_app.interfaces.web.ask import NO_ANSWER, command_context
from cqrs_app.interfaces.web.forms_fields import BLANK, value_of
from cqrs_app.kernel.commands.consequences import Effect
from cqrs_app.kernel.commands.context import Context, new_id
from cqrs_app.kernel.errors import BusError, Invalid, Refused
from cqrs_app.kernel.messages.description import Field, fields_of
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.platform.approvals.foresight import needed, open_requests, policies_of
from cqrs_app.platform.catalogue.examples import example_of
from cqrs_app.services import kernel, services

UNCHANGED = "unchanged"
"""The code of a refusal because nothing would change."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The consequences, or why the command would be refused; neither while a relevant field has no
    usable value. `approval` says who has to approve it first, `request_id` which request for the
    same waits already. `remark` is a sentence of the area: see `WebArea.remarks`.
    """

    effects: tuple[Effect, ...] = ()
    refusal: str = ""
    approval: str = ""
    request_id: str = ""
    remark: str = ""


def foreseen(cls: type[Command], form: Any) -> Foreseen:
    """The consequences of this form, which is validated here. A reason that is not given yet makes
    no difference.
    """
    form.validate()
    example = example_of(cls, whole=False)
    values = {}
    for field in fields_of(cls):
        value = value_of(form[field.name])
        if value is BLANK and field.needed and _is_reason(field):
            value = example[field.name]
        elif form[field.name].errors:
            return Foreseen()
        if value is not BLANK:
            values[field.name] = value
    try:
        command = parse(cls, values)
        return _foreseen(command)
    except Invalid:
        return Foreseen()
    except Refused as refused:
        # A form that shows the present values is not refused before anything was changed.
        return Foreseen(refusal="" if refused.code == UNCHANGED else refused.why)
    except BusError as error:
        return Foreseen(refusal=error.sentence)
    except NO_ANSWER:
        # The form can be submitted nevertheless, and then says what is wrong.
        return Foreseen()


def _foreseen(command: Command) -> Foreseen:
    context = command_context(new_id(), None)
    forecast = kernel.commands.foresee(command, context)
    policies = policies_of(kernel)
    approval = needed(kernel, services.signers, policies, command, context, forecast)
    stream = kernel.registry.routes[type(command)].aggregate.stream_for(command)
    waiting = open_requests(kernel, [stream]) if approval else ()
    same = [each for each in waiting if each.command == type(command).__name__]
    remark = REMARKS.get(type(command))
    return Foreseen(
        forecast.effects,
        approval=approval,
        request_id=same[0].request_id if same else "",
        remark=remark(command) if remark else "",
    )


def needs_approval(command: Command, context: Context) -> bool:
    """Whether it becomes a request, as far as can be known now."""
    policies = [each for each in policies_of(kernel) if type(command).__name__ in each.commands]
    if not policies:
        return False
    try:
        forecast = kernel.commands.foresee(command, context)
    except BusError:
        # It is refused when it is sent, which says why.
        return False
    return bool(needed(kernel, services.signers, policies, command, context, forecast))


def _is_reason(field: Field) -> bool:
    """Whether it only says why: a choice, or text for people."""
    chosen = isinstance(field.kind, type) and issubclass(field.kind, Enum)
    return chosen or field.hints.get("widget") == "textarea"
