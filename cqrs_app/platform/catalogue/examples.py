"""A valid example of every message, derived from its declaration."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import msgspec

from cqrs_app.kernel.messages.description import Field, fields_of

_PLAIN: dict[Any, Any] = {
    bool: False,
    int: 1,
    float: 1.5,
    str: "text",
    Decimal: "12.50",
    date: date(2026, 3, 31),
    datetime: datetime(2026, 3, 31, 14, 5, tzinfo=UTC),
}


def example_of(
    cls: Any, *, whole: bool = True, known: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Plain values for the fields that are needed and, if `whole`, for those that declare an
    example (`Meta(examples=[...])`). `known` has examples for names that declare none."""
    return {
        each.name: _value(each, known)
        for each in fields_of(cls)
        if each.needed or (whole and _has_example(each, known))
    }


def known_examples(classes: Iterable[Any]) -> dict[str, Any]:
    """Field name -> its example in one of these classes or in the values in them."""
    found: dict[str, Any] = {}
    for cls in classes:
        for each in fields_of(cls):
            if each.example is not None:
                found.setdefault(each.name, each.example)
            elif each.holds_values:
                found = known_examples([each.kind]) | found
    return found


def _has_example(field: Field, known: Mapping[str, Any]) -> bool:
    if field.example is not None or (field.kind is str and not field.many and field.name in known):
        return True
    return (
        field.holds_values
        and not field.many
        and any(_has_example(each, known) for each in fields_of(field.kind))
    )


def _value(field: Field, known: Mapping[str, Any]) -> Any:
    if field.example is not None:
        return field.example
    if field.many:
        return [_single(field.kind, "", {}, known)]
    return _single(field.kind, field.name, field.limits, known)


def _single(kind: Any, name: str, limits: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if is_dataclass(kind):
        return example_of(kind, known=known)
    if kind is int and "ge" in limits:
        return max(int(limits["ge"]), 1)
    return known[name] if kind is str and name in known else msgspec.to_builtins(_PLAIN[kind])


def as_options(example: Mapping[str, Any], prefix: str = "--") -> list[str]:
    """The values as command-line options: `--order-id 10042`."""
    options = []
    for name, value in example.items():
        option = f"{prefix}{name.replace('_', '-')}"
        if isinstance(value, Mapping):
            options += as_options(value, f"{option}.")
        elif isinstance(value, list):
            options += [f"{option} {shlex.quote(_item(each))}" for each in value]
        else:
            options.append(f"{option} {shlex.quote(str(value))}")
    return options


def _item(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_in_row(str(each))}" for name, each in value.items())
    return str(value)


def _in_row(text: str) -> str:
    return f'"{text}"' if "," in text else text
