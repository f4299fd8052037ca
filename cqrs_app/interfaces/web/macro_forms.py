"""The page of macros, and the form that makes one: steps are added one by one, each with the fields
of its command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas import BATCHED
from cqrs_app.interfaces.web.ask import ask, command_context, may, may_act
from cqrs_app.interfaces.web.auth import keeps_form
from cqrs_app.interfaces.web.batches import shared_fields
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms import command_from, form_for, usable
from cqrs_app.interfaces.web.tasks import label_of_command, offered
from cqrs_app.interfaces.web.views import owners
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refused
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.platform.macros.commands import MOST_STEPS, SAVE, SHARE, SaveMacro
from cqrs_app.platform.macros.queries import ListMacros
from cqrs_app.platform.macros.steps import ANY_ID, Step
from cqrs_app.platform.views.commands import TEAM
from cqrs_app.services import kernel, services

StepForm = tuple[type[Command], Any]
"""A command and the form of its fields."""


@bp.get("/macros")
def macros() -> ResponseReturnValue:
    """The operator's macros and the team's."""
    rows = [
        {
            "name": macro.name,
            "owner": owner,
            "steps": [label_of_command(Step.from_text(each).command) for each in macro.steps],
            "may_change": may_act(SAVE) and (owner != TEAM or may(SHARE)),
        }
        for owner in (g.operator.name, TEAM)
        for macro in ask(ListMacros(owner=owner)).value
    ]
    return render_template("macros/macros.html", rows=rows, team=TEAM, may_save=may_act(SAVE))


@bp.get("/macros/edit")
def macro_form() -> ResponseReturnValue:
    """A new macro, or the one that the address names."""
    _require()
    name, owner = request.args.get("macro", ""), request.args.get("owner", g.operator.name)
    known = ask(ListMacros(owner=owner)).value if owner in dict(owners(SHARE)) else ()
    found = next((each for each in known if each.has(name)), None)
    steps = [Step.from_text(each) for each in found.steps] if found else []
    return _page(_filled(steps), found.name if found else "", owner)


def macro_form_again(*, sentence: str, possible: bool) -> str:
    """The form with what was sent and not saved; `sentence` says why."""
    _require()
    return _page(*_sent(), sentence=sentence)


@bp.post("/macros/edit")
@keeps_form(macro_form_again)
def macro_save() -> ResponseReturnValue:
    """Add or remove a step, or save the macro; the page comes back with what was typed."""
    _require()
    forms, name, owner = _sent()
    if "add" in request.form:
        added = _choices().get(request.form.get("next_step", ""))
        more = [(added, _form(added, len(forms), sent=False))] if added else []
        return _page([*forms, *more][:MOST_STEPS], name, owner)
    if "remove" in request.form:
        gone = request.form.get("remove", type=int)
        left = [_typed(*each) for number, each in enumerate(forms) if number != gone]
        return _page(_filled(left), name, owner)
    problems: Mapping[str, str] = {}
    meant = []
    for each in forms:
        try:
            meant.append(str(_meant(*each)))
        except Invalid:
            problems = {"steps": "Fix the fields marked below."}
    try:
        if not problems:
            command = parse(SaveMacro, {"macro": name, "owner": owner, "steps": meant})
            kernel.commands.execute(command, command_context(new_id(), None))
            flash("Macro saved.", "good")
            return redirect(url_for("web.macros"), 303)
    except Invalid as invalid:
        problems = invalid.problems
    except Refused as refused:
        problems = {"steps": refused.sentence}
    return _page(forms, name, owner, problems), 422


def _sent() -> tuple[list[StepForm], str, str]:
    """The steps, the name and the owner that were sent."""
    forms = [
        (cls, _form(cls, number))
        for number, cls in enumerate(map(_choices().get, request.form.getlist("step")))
        if cls is not None
    ]
    return forms, request.form.get("macro", "").strip(), request.form.get("owner", "")


def _require() -> None:
    if not may_act(SAVE):
        raise NotAllowed("Save macro", SAVE)


def _choices() -> dict[str, type[Command]]:
    """The commands that the operator may send to many things, by name."""
    return {each["name"]: kernel.registry.command(each["name"]) for each in _offered()}


def _offered() -> list[dict[str, Any]]:
    return offered(cls.__name__ for cls in BATCHED)


def _form(
    cls: type[Command],
    number: int,
    values: Mapping[str, Any] = MappingProxyType({}),
    *,
    sent: bool = True,
) -> Any:
    """The fields of step `number`, as they were sent, or else with these values."""
    identity = services.batches.identity(cls)
    form = form_for(cls, hidden=(identity,))(prefix=f"step{number}-")
    if not sent:
        form.process(formdata=None, data=usable(cls, dict(values)))
    form[identity].data = ANY_ID
    return form


def _filled(steps: Sequence[Step]) -> list[StepForm]:
    known = ((_choices().get(step.command), step) for step in steps)
    return [
        (cls, _form(cls, number, step.fields, sent=False))
        for number, (cls, step) in enumerate(known)
        if cls is not None
    ]


def _meant(cls: type[Command], form: Any) -> Step:
    """Raises Invalid; then the fields have their errors."""
    values = msgspec.to_builtins(command_from(form, cls))
    return _step(cls, {each.short_name: values[each.short_name] for each in shared_fields(form)})


def _typed(cls: type[Command], form: Any) -> Step:
    return _step(cls, {each.short_name: each.data for each in shared_fields(form)})


def _step(cls: type[Command], values: Mapping[str, Any]) -> Step:
    found = {
        name: _text(value)
        for name, value in values.items()
        if value is not False and value not in (None, "", (), [])
    }
    return Step(cls.__name__, found)


def _text(value: Any) -> str | list[str]:
    """As in an address."""
    if isinstance(value, list | tuple):
        return [str(each) for each in value]
    return "true" if value is True else str(value)


def _page(
    forms: Sequence[StepForm],
    name: str,
    owner: str,
    problems: Mapping[str, str] = MappingProxyType({}),
    sentence: str = "",
) -> str:
    identity = services.batches.identity(forms[0][0]) if forms else ""
    return render_template(
        "macros/edit.html",
        steps=[
            {
                "name": cls.__name__,
                "label": cls.declaration.label,
                "fields": shared_fields(form),
            }
            for cls, form in forms
        ],
        choices=[
            each
            for each in _offered()
            if not identity or services.batches.identity(_choices()[each["name"]]) == identity
        ],
        name=name,
        owner=owner,
        owners=owners(SHARE),
        problems=problems,
        sentence=sentence,
        full=len(forms) >= MOST_STEPS,
    )
