"""The amounts of the lines of a form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cqrs_app.interfaces.web.formats import Formats
from cqrs_app.interfaces.web.forms_fields import FieldList

NOTHING = Decimal(0)
ALL_LINES = "lines"
"""The name of a field with every line there will be, not only some."""


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """A text per line, empty if its quantity or price is, and one for their total."""

    lines: tuple[str, ...]
    total: str


def line_amounts(lines: FieldList, form: Any, formats: Formats) -> LineAmounts:
    """For rows with `quantity`, `unit_price` and perhaps a `discount`. The total of all lines
    includes what other rows of the form subtract (`kind` "discount") or add as an `amount`.
    """
    currency = str(form.currency.data or "") if "currency" in form else ""
    amounts = [_amount(entry.form) for entry in lines.entries]
    total = sum((each for each in amounts if each is not None), NOTHING)
    if lines.short_name == ALL_LINES:
        total += sum(_adjustments(form))
    return LineAmounts(
        tuple("" if each is None else formats.exact(each, currency) for each in amounts),
        f"{currency} {formats.amount(total, currency)}".strip(),
    )


def _amount(row: Any) -> Decimal | None:
    quantity, price = row.quantity.data, row.unit_price.data
    if quantity is None or price is None:
        return None
    discount = row.discount.data if "discount" in row else None
    return Decimal(quantity * price - (discount or NOTHING))


def _adjustments(form: Any) -> Iterator[Decimal]:
    for field in form:
        for row in field.entries if isinstance(field, FieldList) else ():
            if "kind" in row.form and "amount" in row.form and row.form.amount.data is not None:
                sign = -1 if row.form.kind.data == "discount" else 1
                yield sign * row.form.amount.data
