"""Discounts, shipping, tax and fees of an order in a file, so that they come to its total. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from cqrs_app.areas.orders.amounts import amount_of
from cqrs_app.areas.orders.types import OrderAdjustment, OrderLine
from cqrs_app.areas.orders.words import AdjustmentKind
from cqrs_app.kernel.errors import Refusal, Refused
from cqrs_app.platform.transfer.imports.line import Line

NOTHING = Decimal(0)
CENT = Decimal("0.01")
DIFFERENCE = "Not in the lines of the file"
ROUNDING = "Rounding"
TOTAL_DIFFERS = Refusal(
    "total_differs", "The lines and charges in a file do not come to the total that it has."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """`total` is what the order costs. `included_tax` is part of the prices, not added to them."""

    adjustments: tuple[OrderAdjustment, ...]
    total: Decimal
    included_tax: Decimal = NOTHING
    doubts: tuple[Refused, ...] = ()


def charges_of(items: Sequence[OrderLine], lines: Sequence[Line]) -> Charges:
    """The charges of the order whose rows are `lines`.

    A file does not say whether prices include the tax, or the discount of the order those of its
    lines: its total shows it. What is still missing to the total becomes an adjustment with a label
    that says so, and a doubt.
    """
    wanted = _amount(lines, "total")
    possible = [
        (tuple(_adjustments(items, lines, tax_added=added, all_discounts=every)), added)
        for every, added in product((False, True), (True, False))
    ]
    if wanted is None:
        adjustments, _ = possible[0]
        return Charges(adjustments=adjustments, total=amount_of(items, adjustments))
    adjustments, added = min(possible, key=lambda each: abs(wanted - amount_of(items, each[0])))
    missing = wanted - amount_of(items, adjustments)
    doubts: tuple[Refused, ...] = ()
    if missing:
        small = abs(missing) <= CENT * (len(items) + 1)
        kind = AdjustmentKind.FEE if missing > 0 else AdjustmentKind.DISCOUNT
        label = ROUNDING if small else DIFFERENCE
        doubts = () if small else (_difference(wanted - missing, wanted),)
        adjustments += (OrderAdjustment(kind=kind, label=label, amount=abs(missing)),)
    included = NOTHING if added else _amount(lines, "tax") or NOTHING
    return Charges(adjustments=adjustments, total=wanted, included_tax=included, doubts=doubts)


def _adjustments(
    items: Sequence[OrderLine], lines: Sequence[Line], *, tax_added: bool, all_discounts: bool
) -> Iterator[OrderAdjustment]:
    """With `all_discounts`, the discount of the order is the sum of all, those of its lines
    included."""
    off = abs(_amount(lines, "order_discount") or NOTHING)
    if all_discounts:
        off = max(off - sum((item.discount for item in items), NOTHING), NOTHING)
    amounts = (
        (AdjustmentKind.DISCOUNT, _text(lines, "discount_code"), off),
        (AdjustmentKind.SHIPPING, _text(lines, "shipping_method"), _amount(lines, "shipping")),
        (AdjustmentKind.FEE, "", _amount(lines, "fee")),
        (AdjustmentKind.TAX, "", _amount(lines, "tax") if tax_added else None),
    )
    for kind, label, amount in amounts:
        if amount:
            yield OrderAdjustment(kind=kind, label=label, amount=amount)


def _difference(found: Decimal, wanted: Decimal) -> Refused:
    return TOTAL_DIFFERS(
        f"The lines and charges in the file come to {found}, and its total is {wanted}. The "
        "difference was added."
    )


def _amount(lines: Sequence[Line], name: str) -> Decimal | None:
    return next((line.amounts[name] for line in lines if name in line.amounts), None)


def _text(lines: Sequence[Line], name: str) -> str:
    return next((text for line in lines if (text := line.texts.get(name, ""))), "")
