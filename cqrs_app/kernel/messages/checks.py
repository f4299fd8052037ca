"""Validates the values of a message, with a sentence for each problem."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import msgspec

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.decimals import decimal_problem, limits_of
from cqrs_app.kernel.messages.fields import USABLE_YEARS, hints_of, plain_type, takes_several
from cqrs_app.kernel.messages.normal import Problems, normal
from cqrs_app.kernel.messages.sentences import UNUSABLE_CHARACTERS, problem_of

HIGHEST_WHOLE_NUMBER = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def checked(cls: type, values: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Return the values in their normal form, and the problems: path, such as `note` or
    `lines.0.quantity`, -> sentence."""
    found: Problems = {}
    kept = {}
    for name, hint in hints_of(cls).items():
        if name in values:
            wrong: Problems = {}
            kept[name] = normal(values[name], hint, name, wrong)
            found |= wrong or _problems_of(kept[name], hint, name)
    return kept, found


def problems(cls: type, values: Mapping[str, Any]) -> Problems:
    """The problems only."""
    return checked(cls, values)[1]


def converted(found: Any, hint: Any, place: str, *, from_text: bool) -> Any:
    """Convert a plain value to the type of a field. Raises Invalid with a sentence per problem."""
    wrong: Problems = {}
    if from_text and isinstance(found, str) and takes_several(hint):
        found = [found]
    plain = normal(found, hint, place, wrong)
    try:
        made = msgspec.convert(plain, hint, strict=not from_text)
    except msgspec.ValidationError as error:
        wrong = dict([problem_of(place, error)]) | wrong
    if wrong:
        raise Invalid(place, wrong)
    return made


def _problems_of(found: Any, hint: Any, place: str) -> Problems:
    try:
        msgspec.convert(found, hint, from_attributes=True)
    except msgspec.ValidationError as error:
        return dict([problem_of(place, error)])
    except Invalid as error:
        return {place: error.sentence}
    return dict(_inside(found, hint, place))


def _inside(found: Any, hint: Any, place: str) -> Iterator[tuple[str, str]]:
    """Problems that the decoder does not detect: what no database can store, limits of decimals,
    and fields of nested values that are already constructed."""
    if isinstance(found, tuple):
        if {*map(type, found)} == {str} and _storable("\n".join(found)):
            return  # many texts at once, such as the ids of a batch
        item = get_args(plain_type(hint))[:1]
        for index, each in enumerate(found):
            yield from _inside(each, item[0] if item else None, f"{place}.{index}")
    elif is_dataclass(found) and not isinstance(found, type):
        cls = type(found)
        values = {name: getattr(found, name) for name in hints_of(cls)}
        for name, text in problems(cls, values).items():
            yield f"{place}.{name}", text
    elif isinstance(found, Decimal):
        sentence = decimal_problem(found, limits_of(hint))
        if sentence:
            yield place, sentence
    elif not _storable(found):
        yield place, UNUSABLE_CHARACTERS if isinstance(found, str) else "This is out of range."


def _storable(found: Any) -> bool:
    if isinstance(found, str):
        return not _UNSTORABLE.search(found)
    if isinstance(found, int):
        return abs(found) <= HIGHEST_WHOLE_NUMBER
    return not isinstance(found, date) or found.year in USABLE_YEARS
