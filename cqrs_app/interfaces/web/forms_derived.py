"""From one field of a message to the form field that fits it."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
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
    value_of,
    without_outer_space,
)
from cqrs_app.kernel.messages.fields import hints_of, plain_type, problems, required_of
from cqrs_app.kernel.messages.sentences import NEEDED

OUT_OF_DATE = "This form cannot be used any more, so nothing was changed. Open the page again."
MOST_ROWS = 500
ATTRIBUTES = ("autocomplete", "inputmode", "placeholder", "spellcheck")
"""What a declaration may hint at in `Meta(extra=...)`, beside `widget`: "textarea", "hidden", and
`rows`: how many rows a form asks for, where other doors may do with fewer."""

_SIMPLE: dict[type, Any] = {
    bool: BooleanField,
    int: IntegerField,
    Decimal: DecimalField,
    datetime: DateTimeLocalField,
    date: DateField,
}


class Usable:
    """A validator: the kernel's sentence for a value that the message would not take."""

    def __init__(self, cls: type, name: str, *, needed: bool) -> None:
        self._cls, self._name, self._needed = cls, name, needed
        self.field_flags = {"required": True} if needed else {}

    def __call__(self, form: Any, field: Any) -> None:
        if field.errors:  # it could not even be read
            raise StopValidation
        value = value_of(field)
        if value is BLANK:
            raise StopValidation(NEEDED if self._needed else "")
        found = problems(self._cls, {self._name: value})
        if found:
            raise ValidationError(next(iter(found.values())))


class CommandId:
    """A validator: the id is one a page of ours could have made."""

    def __call__(self, form: Any, field: Any) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._:-]{8,64}", field.data or ""):
            raise ValidationError(OUT_OF_DATE)


def field_for(cls: type, name: str, *, hidden: bool = False) -> Any:
    """The unbound form field for `name` of the dataclass `cls`. Raises TypeError if none fits."""
    hint = hints_of(cls)[name]
    metas = list(_metas_in(hint))
    extra: dict[str, Any] = {}
    for meta in metas:
        extra |= meta.extra or {}
    kind, needed = plain_type(hint), name in required_of(cls)
    titles = [meta.title for meta in metas if meta.title]
    helps = [meta.description for meta in metas if meta.description]
    common: dict[str, Any] = {
        "label": titles[-1] if titles else name.replace("_", " ").capitalize(),
        "description": helps[-1] if helps else "",
        "default": _default_of(cls, name),
    }
    validators = [Usable(cls, name, needed=needed and kind is not bool)]
    if _is_value(kind):
        return FormField(form_of_value(kind), needed=needed, **common)
    item = _item_of(kind)
    if _is_value(item):
        least, most = _row_limits(metas)
        least = max(least, extra.get("rows", 0))
        rows = FormField(form_of_value(item))
        # One more than allowed, so that too many rows are told instead of dropped.
        common |= {"min_entries": least, "max_entries": most + 1}
        common["default"] = common["default"] or ()
        return FieldList(rows, validators=[Usable(cls, name, needed=False)], **common)
    common["validators"] = validators
    common["render_kw"] = {key: extra[key] for key in ATTRIBUTES if key in extra}
    hidden = hidden or extra.get("widget") == "hidden"
    made = _single(kind, extra, common, hidden=hidden, needed=needed)
    if made is None:
        raise TypeError(f"no form field fits {cls.__name__}.{name}: {hint}")
    return made


def _single(
    kind: Any, extra: dict[str, Any], common: dict[str, Any], *, hidden: bool, needed: bool
) -> Any:
    if hidden:
        return {str: HiddenField, int: HiddenIntegerField}[kind](**common)
    if kind is str:
        field = TextAreaField if extra.get("widget") == "textarea" else StringField
        return field(filters=[without_outer_space], **common)
    if kind in _SIMPLE:
        return _SIMPLE[kind](**common)
    if isinstance(kind, type) and issubclass(kind, Enum):
        empty = None if common["default"] else "Choose one" if needed else "None"
        return SelectField(kind=kind, empty=empty, **common)
    if get_origin(kind) is Literal:
        named = Enum("Choice", {str(each): each for each in get_args(kind)})  # type: ignore[misc]
        return SelectField(kind=named, empty=None, **common)
    item = _item_of(kind)
    if isinstance(item, type) and issubclass(item, Enum):
        choices = [(str(member.value), str(label_of(member))) for member in item]
        return CheckboxesField(choices=choices, **common)
    return {str: LinesField, int: NumbersField}.get(item, lambda **_: None)(**common)


@cache
def form_of_value(cls: type) -> Any:
    """The form of a part of a message, such as an order line or an address."""
    return type(
        f"{cls.__name__}Form", (Form,), {name: field_for(cls, name) for name in hints_of(cls)}
    )


def _metas_in(hint: Any) -> Iterator[msgspec.Meta]:
    """Everything said beside a type, from the inside out, also inside an optional one."""
    for part in get_args(hint):
        if isinstance(part, msgspec.Meta):
            yield part
        elif get_origin(hint) in (Annotated, Union, types.UnionType):
            yield from _metas_in(part)


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _item_of(kind: Any) -> Any:
    """What a tuple of any length holds, or None for another type."""
    if get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,):
        return plain_type(get_args(kind)[0])
    return None


def _row_limits(metas: list[msgspec.Meta]) -> tuple[int, int]:
    least = [meta.min_length for meta in metas if meta.min_length is not None]
    most = [meta.max_length for meta in metas if meta.max_length is not None]
    return max(least, default=0), min(most, default=MOST_ROWS)


def _default_of(cls: type, name: str) -> Any:
    field = next(field for field in fields(cls) if field.name == name)
    return None if field.default is MISSING else field.default
