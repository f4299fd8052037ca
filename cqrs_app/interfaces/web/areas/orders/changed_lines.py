"""The lines of an order in the form that changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import request
from wtforms.fields.core import UnboundField

from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.areas.orders.line_quantities import LineQuantities, OpenLine
from cqrs_app.interfaces.web.forms_derived import field_for
from cqrs_app.interfaces.web.forms_fields import FieldList
from cqrs_app.kernel.messages.messages import Command


def lines_to_change(given: Mapping[str, str]) -> list[OpenLine] | None:
    """The present lines of the order, with how much of each has shipped."""
    order = order_given(given)
    if order is None:
        return None
    return [
        OpenLine(
            line_no=line.line_no,
            sku=line.sku,
            description=line.description,
            most=line.shipped_quantity,
            filled_in={
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount": line.discount or None,
            },
        )
        for line in order.lines
        if line.quantity
    ]


def present_adjustments(given: Mapping[str, str]) -> dict[str, Any]:
    """The discounts and charges of the order, filled in."""
    order = order_given(given)
    return {"adjustments": [asdict(each) for each in order.adjustments]} if order else {}


def adjustments_of_order(cls: type[Command]) -> UnboundField[Any]:
    """The order's discounts and charges: where the form shows the present ones, a list without rows
    means that there are none any more.
    """
    derived = field_for(cls, "adjustments")

    def bind(*args: Any, **kwargs: Any) -> FieldList:
        left_out = order_given(request.args) is None
        return FieldList(*derived.args, **derived.kwargs | kwargs | {"may_be_left_out": left_out})

    return UnboundField(bind)  # type: ignore[arg-type]  # any callable will do


class ChangedLines(LineQuantities):
    """Every row counts, including those with quantity 0."""

    zero = "A quantity of 0 removes a line."

    def __init__(self, kind: type, lines: Sequence[OpenLine], most: str, **kwargs: Any) -> None:
        super().__init__(kind, lines, most, **kwargs)
        self.type = LineQuantities.__name__

    @property
    def filled(self) -> list[Any]:
        return list(self.entries)

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        for row in self.entries:
            row.validate(form)
            quantity, least = row.form.quantity, self._line(row).most
            if not quantity.errors and (quantity.data or 0) < least:
                quantity.errors = [f"{least:,} have shipped."]
        self.errors = [row.errors for row in self.entries if row.errors]
        return not self.errors
