"""The lines of an order in the form that changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.areas.orders.line_quantities import LineQuantities, OpenLine


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
