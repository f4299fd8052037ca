"""Usable fields for every command and query, as the catalogue shows them."""

from __future__ import annotations

from typing import Any

from cqrs_app.areas import build_registry
from cqrs_app.catalogue.examples import example_of

REGISTRY = build_registry()
THE = "10042"
"""The order that the examples are about."""

COMMANDS: dict[str, dict[str, Any]] = {
    name: example_of(cls) for name, cls in REGISTRY.commands.items()
}
QUERIES: dict[str, dict[str, Any]] = {
    name: example_of(cls, whole=False) for name, cls in REGISTRY.queries.items()
}
