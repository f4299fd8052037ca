"""How areas recognise the number of a thing in the text of a search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from cqrs_app.interfaces.web.ask import ask
from cqrs_app.kernel import fold
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Query

Q = TypeVar("Q", bound=Query)


def by_number(cls: type[Q], name: str, text: str) -> Any:
    """The answer to the query about the thing with this number, in any case; None if there is no
    such thing, or nothing can have such a number.
    """
    return number_and_thing(cls, name, text)[1]


def number_and_thing(cls: type[Q], name: str, text: str) -> tuple[str, Any]:
    """The same after the number as the thing has it."""
    for number in dict.fromkeys((text, text.upper())):
        try:
            question = cls(**{name: number})
        except Invalid:
            continue
        if found := ask(question).value:
            return number, found
    return text, None


def same_number(one: str, other: str) -> bool:
    """Whether two texts are the same number, ignoring case, spaces and hyphens."""
    return bool(_plain(one)) and _plain(one) == _plain(other)


def unique(found: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Pairs of a number and its thing, each number once."""
    seen: set[str] = set()
    for number, each in found:
        if number not in seen:
            seen.add(number)
            yield number, each


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text))
