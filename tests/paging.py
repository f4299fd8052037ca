"""Pages through a list, from the first page to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any


def all_pages(
    first: Any,
    page_after: Callable[[str], Any],
    mark_of: Callable[[Any], str | None] = attrgetter("next"),
) -> Iterator[Any]:
    """`first` and all pages after it. A page that was seen before fails the test."""
    page, seen = first, set[str]()
    yield page
    while mark := mark_of(page):
        assert mark not in seen, f"{mark!r} leads to a page that was there before"
        seen.add(mark)
        page = page_after(mark)
        yield page
