"""Valid fields for every command and query, as in the catalogue."""

from __future__ import annotations

from typing import Any

from cqrs_app.installed_areas import build_registry
from cqrs_app.platform.catalogue.examples import example_of

REGISTRY = build_registry()
THE = "10042"
"""The order of the examples."""

COMMANDS: dict[str, dict[str, Any]] = {
    name: example_of(cls) for name, cls in REGISTRY.commands.items()
}
COMMANDS["PlaceOrder"] |= {
    "shipping_address": {"line1": "1 High Street", "city": "Łódź", "postal_code": "LS1 1AA"},
    "lines": [
        {"sku": "85123A", "description": "Lantern, white", "quantity": 6, "unit_price": "2.55"},
        {"sku": "POST", "quantity": 1, "unit_price": "18"},
    ],
}
QUERIES: dict[str, dict[str, Any]] = {
    name: example_of(cls, whole=False) for name, cls in REGISTRY.queries.items()
}
