"""The fields of messages: their types and limits, and what is wrong with a value for them."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

import msgspec

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.sentences import (
    A_NUMBER,
    NO_SUCH_FIELD,
    UNUSABLE_CHARACTERS,
    told,
)

HIGHEST_WHOLE_NUMBER = 2**63 - 1
USABLE_YEARS = range(1000, 9000)
"""So that a day more or less, in any time zone, is a date too."""
WHOLE_NUMBER = re.compile("[0-9]{1,10}")
"""A version, a number of ms or the like, as texts have it."""
_JSON = msgspec.json.Decoder(float_hook=Decimal)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def hints_of(cls: Any) -> dict[str, Any]:
    """Field name -> annotated type, in order of declaration."""
    return _hints_of(cls)


@cache
def _hints_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def required_of(cls: Any) -> frozenset[str]:
    """The fields that have no default."""
    return _required_of(cls)


@cache
def _required_of(cls: Any) -> frozenset[str]:
    return frozenset(
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    )


@cache
def meta_of(hint: Any) -> msgspec.Meta | None:
    """The limits and labels written beside a type, also beside one side of `... | None`."""
    if get_origin(hint) not in (Annotated, Union, types.UnionType):
        return None
    for argument in get_args(hint):
        found = argument if isinstance(argument, msgspec.Meta) else meta_of(argument)
        if found is not None:
            return found
    return None


def plain_type(hint: Any) -> Any:
    """The type without what is said beside it, and without `None`."""
    if get_origin(hint) is Annotated:
        return plain_type(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        members = [part for part in get_args(hint) if part is not type(None)]
        return plain_type(members[0]) if len(members) == 1 else hint
    return hint


def decimal_meta(
    title: str, *, ge: Decimal, le: Decimal, places: int, description: str | None = None
) -> msgspec.Meta:
    """The limits of a decimal; `places` counts the digits after its point.

    The decoder knows limits of whole numbers only: these stand in `extra`, and for readers of a
    schema in a pattern.
    """
    sign, digits = "-?" if ge < 0 else "", len(str(int(le)))
    return msgspec.Meta(
        title=title,
        description=description,
        extra={"ge": ge, "le": le, "places": places},
        extra_json_schema={"pattern": rf"^{sign}[0-9]{{1,{digits}}}(\.[0-9]{{1,{places}}})?$"},
    )


def plain_json(text: str | bytes) -> Any:
    """JSON as plain values. A number with a point never goes through a binary fraction.

    Raises ValueError with a sentence.
    """
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"This is not usable JSON ({error}).") from None


def problems(cls: type, values: Mapping[str, Any]) -> dict[str, str]:
    """Each unusable place in `values`, such as `note` or `lines.0.quantity`, with one sentence."""
    found: dict[str, str] = {}
    for name, hint in hints_of(cls).items():
        if name in values:
            found |= _problems_of(values[name], hint, name)
    return found


def _problems_of(found: Any, hint: Any, place: str) -> dict[str, str]:
    try:
        msgspec.convert(found, hint, from_attributes=True)
    except msgspec.ValidationError as error:
        return dict([told(place, error)])
    except Invalid as error:
        return {place: error.sentence}
    return dict(_inside(found, hint, place))


def unknown_in(found: Any, hint: Any, place: str) -> Iterator[tuple[str, str]]:
    """The names inside plain values that no field has: a decoder would leave them out unsaid."""
    kind = plain_type(hint)
    if get_origin(kind) is tuple and isinstance(found, list | tuple):
        for index, each in enumerate(found):
            yield from unknown_in(each, get_args(kind)[0], f"{place}.{index}")
    elif is_dataclass(kind) and isinstance(found, Mapping):
        hints = hints_of(kind)
        for name, value in found.items():
            if name in hints:
                yield from unknown_in(value, hints[name], f"{place}.{name}")
            else:
                yield f"{place}.{name}", NO_SUCH_FIELD


def _inside(found: Any, hint: Any, place: str) -> Iterator[tuple[str, str]]:
    """What the decoder does not see: what no database can hold, limits of decimals, and of
    values that were made before."""
    if isinstance(found, tuple):
        for index, each in enumerate(found):
            yield from _inside(each, None, f"{place}.{index}")
    elif is_dataclass(found):
        cls = type(found)
        values = {name: getattr(found, name) for name in hints_of(cls)}
        for name, text in problems(cls, values).items():
            yield f"{place}.{name}", text
    elif isinstance(found, Decimal):
        yield from ((place, text) for text in _decimal_problem(found, hint))
    elif not _storable(found):
        yield place, UNUSABLE_CHARACTERS if isinstance(found, str) else "This is out of range."


def _storable(found: Any) -> bool:
    if isinstance(found, str):
        return not _UNSTORABLE.search(found)
    if isinstance(found, int):
        return abs(found) <= HIGHEST_WHOLE_NUMBER
    return not isinstance(found, date) or found.year in USABLE_YEARS


def _decimal_problem(number: Decimal, hint: Any) -> Iterator[str]:
    meta = meta_of(hint)
    limits = (meta.extra or {}) if meta else {}
    if not number.is_finite():
        yield A_NUMBER
    elif "ge" in limits and number < limits["ge"]:
        yield f"Must be {limits['ge']} or more."
    elif "le" in limits and number > limits["le"]:
        yield f"Must be {limits['le']} or less."
    elif "places" in limits and -_exponent(number) > limits["places"]:
        yield f"At most {limits['places']} digits after the point."


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
