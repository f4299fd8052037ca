"""How products are found: every typed word must occur in SKU or description."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from cqrs_app.areas.inventory.read_models import products
from cqrs_app.kernel import fold, index_words, readings

_MOST_WORDS = 12


def searchable(sku: str, description: str) -> str:
    """The searched text: as written, and split into words."""
    return " ".join([fold(f"{sku} {description}"), *index_words([description], [sku])])


def matching(written: str) -> ColumnElement[bool]:
    """The condition on `products` for a text typed by a person; any text is allowed."""
    wanted = [fold(written).split()[:_MOST_WORDS], *readings(written, _MOST_WORDS)]
    return or_(
        *(
            and_(*(products.c.search.contains(word, autoescape=True) for word in words))
            for words in wanted
        )
    )
