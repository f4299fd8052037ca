"""How products are found: every word typed must stand somewhere in number or description."""

from __future__ import annotations

import unicodedata

from sqlalchemy import ColumnElement, and_, true

from cqrs_app.areas.inventory.read_models import products

_MOST_WORDS = 12


def plain(text: str) -> str:
    """The text without case and accents."""
    taken_apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in taken_apart if not unicodedata.combining(char))


def matching(written: str) -> ColumnElement[bool]:
    """The condition on `products` for what somebody typed: anything at all is allowed."""
    wanted = plain(written).split()[:_MOST_WORDS]
    found = (products.c.search.contains(word, autoescape=True) for word in wanted)
    return and_(true(), *found)
