"""What an order costs: its lines less their discounts, then order-wide discounts and charges.
Exact. The amounts come from whoever placed the order; no tax is calculated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Any, Protocol

from cqrs_app.areas.orders.words import AdjustmentKind
from cqrs_app.areas.types import MOST_PLACES

NOTHING = Decimal(0)
_SMALLEST = Decimal(1).scaleb(-MOST_PLACES)
SIGN: Mapping[str, int] = MappingProxyType(
    {kind: -1 if kind is AdjustmentKind.DISCOUNT else 1 for kind in AdjustmentKind}
)
FOLLOWS_ITEMS = frozenset({AdjustmentKind.DISCOUNT, AdjustmentKind.TAX})
"""Adjustments that shrink with the items of an order; shipping and fees are owed in full."""


class Line(Protocol):
    """A line of an order, in its command or its event."""

    @property
    def quantity(self) -> int: ...
    @property
    def unit_price(self) -> Decimal: ...
    @property
    def discount(self) -> Decimal: ...


class Adjustment(Protocol):
    """An order-wide discount or charge; `amount` is positive either way."""

    @property
    def kind(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


def price_of(lines: Iterable[Any]) -> Decimal:
    """Quantity x unit price, summed over the lines of an order or a credit note."""
    return sum((line.quantity * line.unit_price for line in lines), NOTHING)


def value_of(line: Line) -> Decimal:
    """What one line costs."""
    return line.quantity * line.unit_price - line.discount


def amount_of(lines: Iterable[Line], adjustments: Iterable[Adjustment] = ()) -> Decimal:
    """What the order costs."""
    items = sum((value_of(line) for line in lines), NOTHING)
    return items + sum((SIGN[each.kind] * each.amount for each in adjustments), NOTHING)


def follows_items(adjustments: Iterable[Adjustment]) -> Decimal:
    """The part of the adjustments that shrinks with the items: see FOLLOWS_ITEMS."""
    amounts = (SIGN[each.kind] * each.amount for each in adjustments if each.kind in FOLLOWS_ITEMS)
    return sum(amounts, NOTHING)


def part_of(amount: Decimal, part: int | Decimal, whole: int | Decimal) -> Decimal:
    """The share of an amount for `part` of `whole`, rounded to MOST_PLACES."""
    if not whole:
        return NOTHING
    return (amount * part / whole).quantize(_SMALLEST, ROUND_HALF_EVEN)


def sums_of(lines: Iterable[Line], adjustments: Iterable[Adjustment]) -> dict[str, Decimal]:
    """The sum of each kind: `discount` (of the lines too), `shipping`, `tax`, `fee`."""
    sums = dict.fromkeys(map(str, AdjustmentKind), NOTHING)
    for each in adjustments:
        sums[each.kind] += each.amount
    sums[AdjustmentKind.DISCOUNT] += sum((line.discount for line in lines), NOTHING)
    return sums
