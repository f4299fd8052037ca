"""The fields of messages: their types and limits."""

from __future__ import annotations

import re
import types
from dataclasses import MISSING, fields
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

A = TypeVar("A")

USABLE_YEARS = range(1000, 9000)
"""Leaves room for a day more or less, in any time zone."""
WHOLE_NUMBER = re.compile("[0-9]{1,10}")
"""A version, a number of milliseconds or the like, as text."""
_JSON = msgspec.json.Decoder(float_hook=Decimal)


def hints_of(cls: Any) -> dict[str, Any]:
    """Field name -> annotated type, in order of declaration; those of a base class come first,
    unless it says `named_last`."""
    return _hints_of(cls)


@cache
def _hints_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    last = getattr(cls, "named_last", ())
    return {
        name: hints[name]
        for name in sorted(hints, key=lambda name: name in last)
        if ClassVar not in (hints[name], get_origin(hints[name]))
    }


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


def meta_of(hint: Any) -> msgspec.Meta | None:
    """The Meta declared on a type, or on one side of `... | None`."""
    return annotation_of(msgspec.Meta, hint)


def annotation_of(kind: type[A], hint: Any) -> A | None:
    """The annotation of this class on a type, or on one side of `... | None`."""
    wanted: Any = kind
    found: A | None = _annotation_of(wanted, hint)
    return found


@cache
def _annotation_of(kind: Any, hint: Any) -> Any:
    if get_origin(hint) not in (Annotated, Union, types.UnionType):
        return None
    for argument in get_args(hint):
        found = argument if isinstance(argument, kind) else _annotation_of(kind, argument)
        if found is not None:
            return found
    return None


def plain_type(hint: Any) -> Any:
    """The type without its annotations and without `None`."""
    if get_origin(hint) is Annotated:
        return plain_type(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        members = [part for part in get_args(hint) if part is not type(None)]
        return plain_type(members[0]) if len(members) == 1 else hint
    return hint


def takes_several(hint: Any) -> bool:
    """Whether the type is a list, or a list or null."""
    return any(get_origin(each) is tuple for each in (hint, *get_args(hint)))


def plain_json(text: str | bytes) -> Any:
    """Decode JSON to plain values. A number with a decimal point becomes a Decimal, never a float.

    Raises ValueError with a sentence.
    """
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
        # The place, such as `$[...]`, does not help.
        reason = str(error).partition(" - at ")[0]
        raise ValueError(f"This is not usable JSON ({reason}).") from None
