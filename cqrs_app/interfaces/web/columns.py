"""The columns of lists that operators may hide: by list, name and heading in their order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import g

COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "orders": {
            "customer": "Customer",
            "country": "Country",
            "assignee": "Assignee",
            "lines": "Lines",
            "total": "Total",
            "placed": "Placed",
            "updated": "Updated",
        },
        "customers": {
            "name": "Name",
            "email": "E-mail",
            "country": "Country",
            "registered": "Registered",
        },
        "products": {
            "price": "Price",
            "available": "Available",
            "reserved": "Reserved",
            "on_hand": "On hand",
            "incoming": "Incoming",
            "short": "Shortfall",
        },
        "payments": {
            "order": "Order",
            "captured": "Captured",
            "refunded": "Refunded",
            "started": "Started",
        },
    }
)


def shown_columns(name: str) -> dict[str, str]:
    """The optional columns of a list that the operator has not hidden."""
    hidden = g.operator.preferences.hidden.get(name, ())
    return {column: head for column, head in COLUMNS[name].items() if column not in hidden}
