"""How products are found: every word typed must be somewhere in SKU or description."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_

from cqrs_app.areas.inventory.read_models import products
from cqrs_app.kernel import fold, index_words, readings

_MOST_WORDS = 12


def searchable(sku: str, description: str) -> str:
    """The text that is searched: as it is written, and the words by which it is found."""
    return " ".join([fold(f"{sku} {description}"), *index_words([description], [sku])])


def matching(written: str) -> ColumnElement[bool]:
    """The condition on `products` for what somebody typed: anything at all is allowed."""
    wanted = [fold(written).split()[:_MOST_WORDS], *readings(written, _MOST_WORDS)]
    return or_(
        *(
            and_(*(products.c.search.contains(word, autoescape=True) for word in words))
            for words in wanted
        )
    )
