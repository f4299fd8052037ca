"""An entry of an order's timeline, before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cqrs_app.areas.desk.words import EntryKind

Pairs = tuple[tuple[str, str], ...]
"""Names and texts; pairs with an empty text are left out where they are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`detail` are names and texts. `personal` are those that are erased with the person they
    belong to. `item` is the product or the payment it is about, `quantity` counts units of it."""

    kind: EntryKind
    label: str
    detail: Pairs = ()
    personal: Mapping[str, str] = field(default_factory=dict)
    item: str = ""
    quantity: int = 0


def amount(value: Decimal, currency: str) -> str:
    """An amount as programs write it: "EUR 12.50"."""
    return f"{currency} {value:f}"


def units(count: int) -> str:
    return f"{count:,} {'unit' if count == 1 else 'units'}"
