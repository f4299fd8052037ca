"""How products are found: every word typed must stand somewhere in number or description."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, true

from cqrs_app.areas.inventory.read_models import products
from cqrs_app.kernel import fold

_MOST_WORDS = 12


def matching(written: str) -> ColumnElement[bool]:
    """The condition on `products` for what somebody typed: anything at all is allowed."""
    wanted = fold(written).split()[:_MOST_WORDS]
    found = (products.c.search.contains(word, autoescape=True) for word in wanted)
    return and_(true(), *found)
