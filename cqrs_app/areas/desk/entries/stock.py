"""Stock that was reserved for an order, released, or shipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.desk.entries.entry import Entry, units
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.inventory.events import (
    StockCommitted,
    StockReleased,
    StockReservationChanged,
    StockReserved,
)
from cqrs_app.kernel import Event


def _about(label: str) -> Callable[[Any], Entry]:
    return lambda event: Entry(
        EntryKind.STOCK,
        label,
        ((event.sku, units(event.quantity)),),
        item=event.sku,
        quantity=event.quantity,
    )


ENTRIES: Mapping[type[Event], Callable[[Any], Entry]] = MappingProxyType(
    {
        StockReserved: _about("Stock reserved"),
        StockReservationChanged: _about("Reserved stock changed"),
        StockReleased: _about("Stock released"),
        StockCommitted: _about("Stock shipped"),
    }
)
