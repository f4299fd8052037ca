"""Finds the queries that are lists, and parses a query from a URL or a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of, takes_several
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.kernel.queries.paging import LARGEST_PAGE, Page
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.transfer.exports.rows import Columns

PLACE = ("after", "before", "limit", "count")
"""Fields that select a part of a list. An export is always the whole list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be exported. `columns` are the fields of its rows, with their types."""

    query: type[Query]
    columns: Columns

    @property
    def name(self) -> str:
        """Its name for people: "orders" for ListOrders."""
        words = re.findall(r"[A-Z][a-z0-9]*", self.query.__name__.removeprefix("List"))
        return "-".join(words).lower()

    @property
    def filters(self) -> tuple[str, ...]:
        """The names of its filters and its sort fields."""
        return tuple(name for name in hints_of(self.query) if name not in PLACE)


_LISTINGS: WeakKeyDictionary[Registry, dict[str, Listing]] = WeakKeyDictionary()


def listings(registry: Registry) -> dict[str, Listing]:
    """Every list, by the name of its query."""
    if registry not in _LISTINGS:
        _LISTINGS[registry] = _found(registry)
    return _LISTINGS[registry]


def _found(registry: Registry) -> dict[str, Listing]:
    found = {}
    for query, source in registry.answers.items():
        answer = get_type_hints(source.handler).get("return")
        if get_origin(answer) is Page:
            row = get_args(answer)[0]
            found[query.__name__] = Listing(query, hints_of(row))
    return found


def question_of(listing: Listing, given: Mapping[str, Sequence[str]]) -> Query:
    """The query with these filters, as in a URL. Empty texts are ignored.

    Raises Invalid with a sentence per name or value that cannot be used.
    """
    subject = f"The export of {listing.name}"
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, texts in given.items():
        filled = [text.strip() for text in texts if text.strip()]
        if name not in listing.filters:
            problems[name] = f"There is no such filter. There are: {', '.join(listing.filters)}."
        elif filled and takes_several(hints_of(listing.query)[name]):
            values[name] = filled
        elif len(filled) > 1:
            problems[name] = "Give one value only."
        elif filled:
            values[name] = filled[0]
    if problems:
        raise Invalid(subject, problems)
    cls: type[Query] = listing.query
    try:
        return parse(cls, values | {"limit": LARGEST_PAGE}, from_text=True)
    except Invalid as error:
        raise Invalid(subject, error.problems) from error
