"""What the lines of a form come to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cqrs_app.interfaces.web.formats import Formats


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """A text per line, empty where its quantity or price is, and one for all of them."""

    lines: tuple[str, ...]
    total: str


def line_amounts(rows: list[Any], currency: str, formats: Formats) -> LineAmounts | None:
    """Of forms with `quantity` and `unit_price`; None for other rows."""
    if not rows or "unit_price" not in rows[0]:
        return None
    amounts = [_amount(row) for row in rows]
    total = sum((each for each in amounts if each is not None), Decimal(0))
    return LineAmounts(
        tuple("" if each is None else formats.exact(each, currency) for each in amounts),
        f"{currency} {formats.amount(total, currency)}".strip(),
    )


def _amount(row: Any) -> Decimal | None:
    quantity, price = row.quantity.data, row.unit_price.data
    return None if quantity is None or price is None else quantity * price
