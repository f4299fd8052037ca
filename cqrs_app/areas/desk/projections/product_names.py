"""The name of a SKU in reports: its product's name, or else the description in its newest order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType

from cqrs_app.areas.desk.read_models import sold_products
from cqrs_app.areas.orders.events import OrderedLine
from cqrs_app.kernel import Row, Rows

_NO_NAME = MappingProxyType({"name": "", "description": "", "described_at": None})


def name_product(sku: str, name: str, rows: Rows) -> None:
    """Set the product's name; an empty one removes it."""
    _sold_product(sku, rows)["name"] = name


def describe_products(lines: Iterable[OrderedLine], at: datetime, rows: Rows) -> None:
    """A product without a name takes the description of its newest order, in whatever order the
    events arrive.
    """
    for line in lines:
        known = _sold_product(line.sku, rows)
        if line.description and _is_news(known, at):
            known |= {"description": line.description, "described_at": at}


def _is_news(known: Row, at: datetime) -> bool:
    return known["described_at"] is None or at >= known["described_at"]


def _sold_product(sku: str, rows: Rows) -> Row:
    if rows.get(sold_products, sku) is None:
        rows.put(sold_products, sku=sku, **_NO_NAME)
    return rows.change(sold_products, sku)
