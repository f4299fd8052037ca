"""From one field of a message to the form field that fits it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin

from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import StopValidation, ValidationError

from cqrs_app.interfaces.web.forms_fields import (
    BLANK,
    CheckboxesField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    FieldList,
    FormField,
    HiddenIntegerField,
    IntegerField,
    LinesField,
    NumbersField,
    SelectField,
    label_of,
    stored_country,
    value_of,
    without_outer_space,
)
from cqrs_app.interfaces.web.typed import COUNTRY
from cqrs_app.kernel.messages.checks import problems
from cqrs_app.kernel.messages.description import Field, field_of
from cqrs_app.kernel.messages.fields import annotation_of, hints_of
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.messages.sentences import NEEDED

OUT_OF_DATE = "This form cannot be used any more, so nothing was changed. Open the page again."
MOST_ROWS = 500
"""Even where other interfaces allow null: each row is shown again with its fields if one of them is
unusable.
"""
ATTRIBUTES = ("autocomplete", "inputmode", "placeholder", "spellcheck")
"""What a declaration may hint at in `Meta(extra=...)`, beside `widget`: "textarea", "hidden", and
`rows`: how many rows a form asks for, where other doors may do with fewer; `fixed`: names a part of
the thing, which a form shows as text where its address has it; `help`: what a form says instead of
the description; `lookup`: how values are found while they are typed; `group` and
`folded`: see layout.py."""
CODE = 3
SHORT = 60
"""Characters. A longer text has a line to itself."""
WIDTHS = {
    "postal-code": "post",
    "address-level2": "town",
    "country-name": "short",
    "name": "short",
    "tel": "short",
    "email": "short",
}
"""By the last word of `autocomplete`: how wide what goes in is, whatever is allowed."""

_SIMPLE: dict[type, Any] = {
    bool: BooleanField,
    int: IntegerField,
    Decimal: DecimalField,
    datetime: DateTimeLocalField,
    date: DateField,
}


class Usable:
    """A validator: the kernel's sentence for a value that the message would not accept."""

    def __init__(self, cls: type, name: str, *, needed: bool) -> None:
        self._cls, self._name, self._needed = cls, name, needed
        field = field_of(cls, name)
        self.field_flags = {name: field.hints.get(name) for name in ("lookup", "folded")}
        self.field_flags["size"] = size_of(field)
        if needed:
            self.field_flags["required"] = True

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors:  # it could not even be read
            raise StopValidation
        value = value_of(field)
        if value is BLANK:
            raise StopValidation(NEEDED if self._needed else "")
        found = problems(self._cls, {self._name: value})
        if found:
            raise ValidationError(next(iter(found.values())))


class FewEnoughRows:
    """A validator: a form takes at most MOST_ROWS rows."""

    def __call__(self, form: Any, field: Any) -> None:
        if len(field.entries) > MOST_ROWS:
            raise StopValidation(
                f"A form takes at most {MOST_ROWS} rows. Send more of them by the API."
            )


class CommandId:
    """A validator: the id is one a page of ours could have made."""

    def __call__(self, form: Any, field: Any) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._:-]{8,64}", field.data or ""):
            raise ValidationError(OUT_OF_DATE)


def field_for(cls: type, name: str, *, hidden: bool = False) -> Any:
    """The unbound form field for `name` of the dataclass `cls`. Raises TypeError if none fits."""
    field = field_of(cls, name)
    common: dict[str, Any] = {
        "label": field.title,
        "description": field.hints.get("help", field.help),
        # An optional amount is shown empty, not as 0.
        "default": field.default or None if field.kind is Decimal else field.default,
    }
    validators = [Usable(cls, name, needed=field.needed and field.kind is not bool)]
    if field.holds_values and not field.many:
        return FormField(form_of_value(field.kind), needed=field.needed, **common)
    if field.holds_values:
        least = max(field.limits.get("min_length", 0), field.hints.get("rows", 0))
        most = min(field.limits.get("max_length", MOST_ROWS), MOST_ROWS)
        rows = FormField(form_of_value(field.kind))
        # One more than allowed, so that too many rows are refused instead of dropped.
        common |= {"min_entries": least, "max_entries": most + 1}
        common["default"] = common["default"] or ()
        return FieldList(
            rows,
            validators=[FewEnoughRows(), Usable(cls, name, needed=False)],
            may_be_left_out=field.nullable,
            **common,
        )
    common["validators"] = validators
    common["render_kw"] = {key: field.hints[key] for key in ATTRIBUTES if key in field.hints}
    hidden = hidden or field.hints.get("widget") == "hidden"
    made = _many(field, common) if field.many else _single(field, common, hidden=hidden)
    if made is None:
        raise TypeError(f"no form field fits {cls.__name__}.{name}: {field.kind}")
    return made


def size_of(field: Field) -> str:
    """How wide a control is: "code" for a few characters, "short" for half a line, "post" and
    "town" for the two that share the line of an address, or "line"."""
    words = field.hints.get("autocomplete", "").split()
    if words and words[-1] in WIDTHS:
        # In an address the recipient and the country have a line to themselves, as on a letter.
        return "line" if len(words) > 1 and words[-1] == "name" else WIDTHS[words[-1]]
    if field.many or field.kind is bool or field.hints.get("widget") == "textarea":
        return "line"
    if field.kind in (int, Decimal):
        return "code"
    most = field.limits.get("max_length", SHORT if field.kind is not str else SHORT + 1)
    return "code" if most <= CODE else "short" if most <= SHORT else "line"


def with_options(name: str, options: Callable[[], Iterable[str]]) -> Callable[[type], Any]:
    """For `WebArea.form_fields`: the text field `name`, which offers these texts while it is
    typed."""

    def made(cls: type) -> Any:
        derived = field_for(cls, name)
        offering = {"options": property(lambda field: options())}
        derived.field_class = type("StringField", (derived.field_class,), offering)
        return derived

    return made


def _many(field: Field, common: dict[str, Any]) -> Any:
    kind = field.kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = [(str(member.value), str(label_of(member))) for member in kind]
        return CheckboxesField(choices=choices, **common)
    return {str: LinesField, int: NumbersField}.get(kind, lambda **_: None)(**common)


def _single(field: Field, common: dict[str, Any], *, hidden: bool) -> Any:
    kind = field.kind
    if hidden:
        return {str: HiddenField, int: HiddenIntegerField}[kind](**common)
    if kind is str:
        made = TextAreaField if field.hints.get("widget") == "textarea" else StringField
        form = annotation_of(NormalForm, field.hint)
        filters = [without_outer_space] if form is None or form.trims else []
        if field.hints.get("autocomplete", "").endswith(COUNTRY):
            filters.append(stored_country)
        return made(filters=filters, **common)
    if kind in _SIMPLE:
        return _SIMPLE[kind](**common)
    if isinstance(kind, type) and issubclass(kind, Enum):
        empty = None if common["default"] else "Choose one" if field.needed else "None"
        return SelectField(kind=kind, empty=empty, **common)
    if get_origin(kind) is Literal:
        named = Enum("Choice", {str(each): each for each in get_args(kind)})  # type: ignore[misc]
        return SelectField(kind=named, empty=None, **common)
    return None


@cache
def form_of_value(cls: type) -> Any:
    """The form of a part of a message, such as an order line or an address."""
    return type(
        f"{cls.__name__}Form", (Form,), {name: field_for(cls, name) for name in hints_of(cls)}
    )
