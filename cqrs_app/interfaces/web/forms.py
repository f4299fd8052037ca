"""A form for every command, derived from its declaration. A field's title becomes its label, its
description the help text, and its values are checked by the kernel, so that forms report the same
errors as every other interface.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import Form, HiddenField

from cqrs_app.interfaces.web.areas import FORM_FIELDS
from cqrs_app.interfaces.web.forms_derived import CommandId, field_for
from cqrs_app.interfaces.web.forms_fields import (
    BLANK,
    FieldList,
    FormField,
    HiddenIntegerField,
    value_of,
)
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.checks import converted, problems
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Query, parse

C = TypeVar("C", bound=Command)
Q = TypeVar("Q", bound=Query)
M = TypeVar("M", bound=Command | Query)


CIRCUMSTANCES = ("command_id", "expected_version")


class CommandForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The template writes the token, and CSRFProtect checks it before a view is called."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf = False


def form_for(command_class: type[Command], hidden: tuple[str, ...] = ()) -> Any:
    """The form class of a command: its fields in order, after the hidden `command_id` (fresh for
    every form) and `expected_version`. `hidden` names fields that the page fills in, such as the
    order's id.

    Raises TypeError for a field that no form field fits.
    """
    cls: type = command_class  # the cache takes a plain class
    return _form_for(cls, hidden)


@cache
def _form_for(cls: type, hidden: tuple[str, ...]) -> Any:
    fields: dict[str, Any] = {
        "command_id": HiddenField(default=new_id, validators=[CommandId()]),
        "expected_version": HiddenIntegerField(),
    }
    for name in hints_of(cls):
        if name in fields or hasattr(CommandForm, name):
            raise TypeError(f"a form has a {name} of its own: see {cls.__name__}")
        made = FORM_FIELDS.get((cls, name))
        fields[name] = made(cls) if made else field_for(cls, name, hidden=name in hidden)
    return type(f"{cls.__name__}Form", (CommandForm,), fields)


@cache
def question_form(cls: type) -> Any:
    """The form class of a query: its fields, without what only a change needs."""
    return type(
        f"{cls.__name__}Form", (Form,), {name: field_for(cls, name) for name in hints_of(cls)}
    )


def question_from(form: Any, query_class: type[Q]) -> Q:
    """The query that a submitted form means; raises Invalid as `command_from` does."""
    if not form.validate():
        raise Invalid(query_class.__name__, dict(_problems_in(form)))
    return _meant(form, query_class)


def command_from(form: Any, command_class: type[C]) -> C:
    """The command that a submitted form means. Raises Invalid if there is none; then every unusable
    field has its `errors`, and those that belong to no visible field are in `form.form_errors`.
    """
    for rows in _lists_in(form):
        rows.drop_blank_rows()
    if form.validate():
        return _meant(form, command_class)
    found = dict(_problems_in(form))
    for name in form.data:
        if "Hidden" in form[name].type and form[name].errors:
            form.form_errors = [*form.form_errors, *form[name].errors]
    raise Invalid(command_class.__name__, found)


def _meant(form: Any, message_class: type[M]) -> M:
    cls: type = message_class
    values = {name: value_of(form[name]) for name in hints_of(cls)}
    filled = {name: value for name, value in values.items() if value is not BLANK}
    try:
        return parse(message_class, filled)
    except Invalid as error:
        for place, sentence in error.problems.items():
            _say(form, place, sentence)
        raise


def expected_version(form: Any) -> int | None:
    """The version of the stream that the operator saw, if the page said so."""
    seen: int | None = form.expected_version.data
    return seen


def prefill(form: Any, values: Mapping[str, Any]) -> None:
    """Show these values (fields of the command, `expected_version`) in a form not yet sent."""
    form.process(formdata=None, data=dict(values))


def usable(cls: type[Command], given: Mapping[str, str]) -> dict[str, Any]:
    """The URL's parameters as values of the form's fields; unusable ones are left out."""
    values = {}
    for name, text in given.items():
        with suppress(Invalid):
            found = converted(text, hints_of(cls)[name], name, from_text=True)
            if not problems(cls, {name: found}):
                values[name] = found
    return values


def renew(form: Any, expected_version: int | None = None) -> None:
    """Prepare a refused form to be submitted again, with everything that was typed: under a new
    command id, and with the version the operator sees now.
    """
    form.command_id.data = new_id()
    if expected_version is not None:
        form.expected_version.data = expected_version
        form.expected_version.raw_data = None


def change_rows(form: Any) -> bool:
    """Whether a button that adds or removes a row was pressed; if so it has been done, and the form
    is to be shown again without errors.
    """
    for rows in list(_lists_in(form)):
        if rows.add_name in request.form:
            rows.add_row()
            return True
        for index in range(len(rows.entries)):
            if rows.remove_name(index) in request.form:
                rows.remove_row(index)
                return True
    return False


def _lists_in(form: Any) -> Iterator[FieldList]:
    for field in form:
        if isinstance(field, FieldList):
            yield field
            for entry in field.entries:
                if isinstance(entry, FormField):
                    yield from _lists_in(entry.form)
        elif isinstance(field, FormField):
            yield from _lists_in(field.form)


def _problems_in(form: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every error with its place, such as `lines.0.quantity`."""
    for field in form:
        place = prefix + field.short_name
        if isinstance(field, FieldList):
            for index, entry in enumerate(field.entries):
                if isinstance(entry, FormField):
                    yield from _problems_in(entry.form, f"{place}.{index}.")
        if isinstance(field, FormField):
            yield from _problems_in(field.form, f"{place}.")
        else:
            yield from ((place, error) for error in field.errors if isinstance(error, str))


def _say(form: Any, place: str, sentence: str) -> None:
    """Put a sentence beside the field it is about, also one inside a row: `lines.0.quantity`."""
    found: Any = form
    for part in re.findall(r"[^.\[\]]+", place):
        inside = found.form if isinstance(found, FormField) else found
        if isinstance(inside, FieldList):
            rows = inside.entries
            found = rows[int(part)] if part.isdecimal() and int(part) < len(rows) else None
        else:
            found = inside[part] if hasattr(inside, "_fields") and part in inside else None
        if found is None:
            break
    if found is None or found is form or "Hidden" in found.type:
        form.form_errors = [*form.form_errors, sentence]
    elif isinstance(found, FormField):
        found.form.form_errors = [*found.form.form_errors, sentence]
    else:
        found.errors = [*found.errors, sentence]
