"""Form fields that read what people type as values of commands. Unreadable input stays on screen as
typed, with a sentence. The classes keep the names of those they refine, by which templates choose
how to show them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import wtforms
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs
from wtforms.widgets import CheckboxInput, HiddenInput

from cqrs_app.interfaces.web.formats import TooManyDigits, formats_of
from cqrs_app.interfaces.web.zones import moment_to_type, shown_zone, typed_moment
from cqrs_app.kernel.messages.sentences import A_WHOLE_NUMBER, FEWER_DIGITS, FEWER_WHOLE_DIGITS
from cqrs_app.services import services

ROW = "__row__"
"""The number of a row that a script adds."""
BLANK: Any = object()
"""The value of a field that was left empty."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DIGITS = re.compile(r"[+-]?[0-9]+")


class _Typed(wtforms.Field):
    """A field with one text that `read` converts to a value, or refuses with a ValueError."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = None
        text = str(valuelist[0]).strip() if valuelist else ""
        if text:
            self.data = self.read(text)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> str:
        return str(value)


class IntegerField(_Typed, wtforms.IntegerField):
    """A whole number."""

    def read(self, text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise ValueError(FEWER_WHOLE_DIGITS if _DIGITS.fullmatch(text) else A_WHOLE_NUMBER)
        return int(text)


class HiddenIntegerField(IntegerField):
    """A whole number set by the page."""

    widget = HiddenInput()


class DecimalField(_Typed, wtforms.DecimalField):
    """An exact number as the shop's locale writes it; never rounded."""

    def read(self, text: str) -> Decimal:
        formats = formats_of(services.settings.locale)
        try:
            return formats.read(text)
        except TooManyDigits:
            raise ValueError(FEWER_DIGITS) from None
        except ValueError:
            example = formats.typed(Decimal("12.50"))
            raise ValueError(f"Enter a number, e.g. {example}.") from None

    def write(self, value: Decimal) -> str:
        return formats_of(services.settings.locale).typed(value)


class DateField(_Typed, wtforms.DateField):
    """A day."""

    def read(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError("Enter a date, e.g. 2026-03-31.") from None

    def write(self, value: date) -> str:
        return value.isoformat()


class DateTimeLocalField(_Typed, wtforms.DateTimeLocalField):
    """A moment, typed and shown in the operator's time zone; the value is in UTC."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.description = f"{self.description} Time zone: {shown_zone().key}.".strip()

    def read(self, text: str) -> datetime:
        return typed_moment(text)

    def write(self, value: datetime) -> str:
        return moment_to_type(value)


class SelectField(wtforms.SelectField):
    """One member of an enumeration, by its `label`; its value is returned as text."""

    def __init__(self, label: str, kind: type[Enum], empty: str | None, **kwargs: Any) -> None:
        self._members = [SelectChoice(str(each.value), str(label_of(each))) for each in kind]
        super().__init__(
            label,
            choices=self._members if empty is None else self._with_empty(empty),
            coerce=lambda value: str(value.value if isinstance(value, Enum) else value or ""),
            # The kernel reports it, in the same words everywhere.
            validate_choice=False,
            **kwargs,
        )

    def rename_empty(self, text: str) -> None:
        """Show this text for no value."""
        self.choices = self._with_empty(text)

    def _with_empty(self, text: str) -> list[Any]:
        return [SelectChoice("", text), *self._members]


class CheckboxesField(wtforms.SelectMultipleField):
    """Several of the choices (value, text), or of those that a function returns, each with a
    checkbox; their values are returned as texts. `group_of` names the group of a value: many
    choices are folded by group.
    """

    option_widget = CheckboxInput()

    def __init__(
        self,
        label: str,
        choices: Iterable[tuple[str, str]] | Callable[[], Iterable[tuple[str, str]]],
        group_of: Callable[[str], str] = lambda value: "",
        **kwargs: Any,
    ) -> None:
        offered = choices() if callable(choices) else choices
        listed = [SelectChoice(value, text) for value, text in offered]
        # The kernel reports unknown choices, in the same words everywhere.
        super().__init__(label, choices=listed, validate_choice=False, **kwargs)
        self._group_of = group_of
        self.type = "CheckboxesField"

    @property
    def groups(self) -> dict[str, list[Any]]:
        """The boxes by group."""
        found = defaultdict(list)
        for choice in self:
            found[self._group_of(choice.data)].append(choice)
        return found

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: Any = tuple(valuelist)


class LinesField(wtforms.TextAreaField):
    """Several texts, one per line; empty lines do not count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.type = "TextAreaField"

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        self.data: Any = tuple(line.strip() for line in text.splitlines() if line.strip())

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else "\n".join(self.data or ())


class NumbersField(LinesField):
    """Several whole numbers, one per line."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if not all(_WHOLE.fullmatch(line) for line in self.data):
            raise ValueError("Enter whole numbers, one per line.")
        self.data = tuple(map(int, self.data))


class FormField(wtforms.FormField):  # type: ignore[type-arg]  # generic in its stubs only
    """One value made of several fields; if `needed` is false all of it may be left empty."""

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needed = self.flags.required = needed

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        if not self.needed and is_blank(self):
            return True
        return bool(super().validate(form, extra_validators))


class FieldList(wtforms.FieldList):  # type: ignore[type-arg]  # generic in its stubs only
    """Rows, each with a button that removes it, and one button that adds another; they work without
    scripts because each button's name says what it does. `may_be_left_out`: no rows are no value,
    rather than an empty list.
    """

    def __init__(self, *args: Any, may_be_left_out: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flags.required = self.min_entries > 0
        self.may_be_left_out = may_be_left_out

    @property
    def filled(self) -> list[Any]:
        """The rows that count."""
        return list(self.entries)

    @property
    def add_name(self) -> str:
        return f"{self.name}-add"

    def remove_name(self, index: int) -> str:
        return f"{self.name}-remove-{index}"

    def add_row(self) -> None:
        """One more empty row, while there may be one more."""
        if self.max_entries is None or len(self.entries) < self.max_entries:
            self.append_entry()

    def remove_row(self, index: int) -> None:
        """Without that row; the last one of a list that needs one is emptied instead."""
        self.pop_entry(index)  # type: ignore[call-arg]  # the stubs are of an older version
        while len(self.entries) < self.min_entries:
            self.append_entry()

    def number_of(self, row: Any) -> int:
        """What people call the row: its place, from 1."""
        return self.entries.index(row) + 1

    def drop_blank_rows(self) -> None:
        """Without the rows in which nothing was entered; one stays in a list that needs one."""
        filled = [
            each for each in self.entries if not (isinstance(each, FormField) and is_blank(each))
        ]
        self.entries = filled or self.entries[: min(self.min_entries, 1)]
        self._compact_indices()  # type: ignore[attr-defined]  # newer than the stubs

    @property
    def new_row(self) -> Any:
        """An empty row that is none of the entries; a script writes its number in place of ROW.
        None where there may be no more."""
        if self.max_entries is not None and len(self.entries) >= self.max_entries:
            return None
        row = self.append_entry()
        self.entries.pop()
        self.last_index -= 1
        self._rename_entry(row, ROW)  # type: ignore[attr-defined]  # newer than the stubs
        return row

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        pattern = re.compile(re.escape(prefix) + r"-([0-9]{1,6})(-|$)")
        return (int(found[1]) for key in formdata if (found := pattern.match(key)))


def value_of(field: Any) -> Any:
    """What a field holds, in plain values as the kernel's `parse` takes them, or BLANK."""
    if isinstance(field, FieldList):
        rows = [value_of(entry) for entry in field.filled]
        return BLANK if field.may_be_left_out and not rows else rows
    if isinstance(field, FormField):
        if not field.needed and is_blank(field):
            return BLANK
        values = {sub.short_name: value_of(sub) for sub in field.form}
        return {name: value for name, value in values.items() if value is not BLANK}
    return BLANK if field.data in (None, "", ()) else field.data


def is_blank(field: FormField) -> bool:
    """Whether nothing was filled in beyond what an empty form shows already."""
    return all(value_of(sub) in (BLANK, False, [], sub.default) for sub in field.form)


def without_outer_space(text: str | None) -> str | None:
    """A filter: what people cannot see does not count; line ends as the kernel stores them."""
    return text and text.replace("\r\n", "\n").strip()


def stored_country(text: str | None) -> str | None:
    """A filter: a country written in the shop's language, by the name that is stored."""
    return text and formats_of(services.settings.locale).stored_country(text)


def label_of(member: Enum) -> Any:
    named: Callable[[], Any] | str | None = getattr(member, "label", None)
    return named or member.name.replace("_", " ").capitalize()
