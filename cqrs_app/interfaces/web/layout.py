"""The layout of a derived form: groups with headings, and a summary of its errors with links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cqrs_app.interfaces.web.forms_fields import FieldList, FormField, is_blank
from cqrs_app.kernel.messages.description import field_of


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under one heading, or none. A group that `folds` is closed unless it is `open`."""

    title: str
    fields: list[Any]
    folds: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    """An error, and the id of the control that it is about."""

    id: str
    label: str
    sentence: str


def sections(form: Any, cls: type) -> list[Section]:
    """The visible fields in order. A type puts its field into a group by
    `Meta(extra={"group": "Customer"})`; with `"folded": True` the group, or the field without one,
    is closed until it is used or has an error."""
    visible = [each for each in form if "Hidden" not in each.type]
    hints = {each.short_name: field_of(cls, each.short_name).hints for each in visible}
    return [
        Section(title, fields, folds, _in_use(fields))
        for (title, folds), grouped in groupby(visible, lambda each: _group(each, hints))
        for fields in [list(grouped)]
    ]


def mistakes(form: Any, label: str = "") -> Iterator[Mistake]:
    """Every error of a visible field, from the top."""
    for each in form:
        if "Hidden" in each.type:
            continue
        name = f"{label}{each.label.text}"
        if isinstance(each, FormField):
            yield from (Mistake(each.id, name, text) for text in each.form.form_errors)
            yield from mistakes(each.form, f"{name}, ")
        else:
            yield from (
                Mistake(each.id, name, text) for text in each.errors if isinstance(text, str)
            )
        if isinstance(each, FieldList):
            for row in each.entries:
                if isinstance(row, FormField):
                    yield from mistakes(row.form, f"Line {each.number_of(row)}, ")


def _group(field: Any, hints: dict[str, dict[str, Any]]) -> tuple[str, bool]:
    hint = hints[field.short_name]
    folds = bool(hint.get("folded"))
    return hint.get("group", field.label.text if folds else ""), folds


def _in_use(fields: list[Any]) -> bool:
    return any(
        each.errors or (not is_blank(each) if isinstance(each, FormField) else bool(each.data))
        for each in fields
    )
