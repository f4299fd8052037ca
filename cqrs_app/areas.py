"""The ordered list of business areas, and the registry built from it."""

from __future__ import annotations

from collections.abc import Callable

from cqrs_app.kernel.registry import Registry
from cqrs_app.orders import ORDERS
from cqrs_app.runtime import runtime_area
from cqrs_app.uploads import uploads_area
from cqrs_app.uploads.commands import StartImport

AREAS = (ORDERS,)


def build_registry(is_uploaded: Callable[[StartImport], bool] = lambda task: False) -> Registry:
    """Everything the product can do; `is_uploaded` knows the files that were received. Raises
    ValueError on a doubled name."""
    names = [projection.name for area in AREAS for projection in area.projections]
    return Registry((*AREAS, uploads_area(is_uploaded), runtime_area(names)))
