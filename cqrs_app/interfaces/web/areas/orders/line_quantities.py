"""A form field that lists the lines of an order with a quantity each, for commands about some of
them: how much of each line ships, or is returned. If the order is not known yet, as in the
catalogue, lines are given by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from wtforms.fields.core import UnboundField
from wtforms.utils import unset_value

from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.forms_derived import MOST_ROWS, field_for, form_of_value
from cqrs_app.interfaces.web.forms_fields import FieldList, FormField, HiddenIntegerField
from cqrs_app.kernel.messages.description import field_of
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command

NO_QUANTITY = "Enter a quantity for at least one line."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line with a quantity of at most `most`; `filled_in` are values of its row's fields."""

    line_no: int
    sku: str
    description: str
    most: int
    filled_in: Mapping[str, Any] = field(default_factory=dict)


LinesOf = Callable[[Mapping[str, str]], Sequence[OpenLine] | None]
"""From the fields given in a URL to the lines; None if they name no order."""


def line_quantities(
    name: str, lines_of: LinesOf, *, most: str, shown_as: type[LineQuantities] | None = None
) -> Callable[[type[Command]], UnboundField[Any]]:
    """For `WebArea.form_fields`: the field `name`, values with `line_no`, one quantity or more, and
    perhaps more. `most` heads the column of each line's limit, such as "Remaining"."""

    def made(cls: type[Command]) -> UnboundField[Any]:
        derived = field_for(cls, name)
        kind = field_of(cls, name).kind

        def bind(*args: Any, **kwargs: Any) -> FieldList:
            lines = lines_of(request.args)
            if lines is None:
                return FieldList(*derived.args, **derived.kwargs | kwargs)
            return (shown_as or LineQuantities)(
                kind, lines, most, label=field_of(cls, name).title, **kwargs
            )

        return UnboundField(bind)  # type: ignore[arg-type]  # any callable will do

    return made


def still_to_ship(given: Mapping[str, str]) -> list[OpenLine] | None:
    """The lines of the order that have units left to ship, all of them filled in."""
    order = order_given(given)
    if order is None:
        return None
    return [
        OpenLine(
            line_no=line.line_no,
            sku=line.sku,
            description=line.description,
            most=line.left,
            filled_in={"quantity": line.left},
        )
        for line in order.lines
        if line.left
    ]


class LineQuantities(FieldList):
    """One row per line, named by the line's number, so that what is typed stays with its line. A
    row without a quantity is left out. Its first number field shows an error about the row's sum.
    """

    zero = "A quantity of 0 leaves a line out."

    def __init__(self, kind: type, lines: Sequence[OpenLine], most: str, **kwargs: Any) -> None:
        hidden = {"line_no": HiddenIntegerField()}
        row = type(f"{kind.__name__}Quantity", (form_of_value(kind),), hidden)
        super().__init__(FormField(row), max_entries=MOST_ROWS, **kwargs)
        self.lines = {line.line_no: line for line in lines}
        self.most = most
        self.quantities = [name for name in hints_of(kind) if _is_quantity(kind, name)]

    @property
    def shown(self) -> list[tuple[Any, OpenLine]]:
        """Each row with its line. A line that is no longer open has a limit of 0."""
        return [(row, self._line(row)) for row in self.entries]

    @property
    def filled(self) -> list[Any]:
        return [row for row in self.entries if self._has_quantity(row)]

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        self.entries = []
        if formdata:
            numbers = sorted(set(self._extract_indices(self.name, formdata)))[:MOST_ROWS]
        else:
            numbers = list(self.lines)[:MOST_ROWS]
        for line_no in numbers:
            filled_in = {} if formdata else dict(self.lines[line_no].filled_in)
            row = self._add_entry(formdata, filled_in, index=line_no)  # type: ignore[attr-defined]
            row.form.line_no.data = line_no

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        rows = self.filled
        for row in rows:
            row.validate(form)
            most = self._line(row).most
            if not row.errors and sum(each.data or 0 for each in self._quantities(row)) > most:
                self._quantities(row)[0].errors = [f"Only {most:,} {self.most.lower()}."]
        self.errors = [row.errors for row in rows if row.errors] if rows else [NO_QUANTITY]
        return not self.errors

    def number_of(self, row: Any) -> int:
        return int(row.index)

    def drop_blank_rows(self) -> None:
        """None: each line keeps its row."""

    def _line(self, row: Any) -> OpenLine:
        gone = OpenLine(line_no=row.index, sku="", description="", most=0)
        return self.lines.get(row.index, gone)

    def _quantities(self, row: Any) -> list[Any]:
        return [row.form[name] for name in self.quantities]

    def _has_quantity(self, row: Any) -> bool:
        """Whether there is one, also one that cannot be used."""
        return any(each.data or each.process_errors for each in self._quantities(row))


def _is_quantity(kind: type, name: str) -> bool:
    return name != "line_no" and field_of(kind, name).kind is int
