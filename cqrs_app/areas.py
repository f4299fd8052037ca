"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from cqrs_app.kernel.registry import Registry
from cqrs_app.orders import ORDERS
from cqrs_app.runtime import runtime_area

AREAS = (ORDERS,)


def build_registry() -> Registry:
    """Everything the product can do. Raises ValueError on a doubled name."""
    names = [projection.name for area in AREAS for projection in area.projections]
    return Registry((*AREAS, runtime_area(names)))
