"""Commands, events and queries: frozen, typed, validated on construction, serialisable.

A field's limits stand in its type, `Annotated[str, Meta(max_length=40, title="Order")]`, and
serve every door: construction, forms, API and documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform, get_args, get_type_hints

import msgspec

from cqrs_app.kernel.errors import Invalid

T = TypeVar("T")
C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a command or a query says of itself, apart from its fields."""

    label: str
    permission: str
    minds_version: bool = False
    risky: bool = False
    reads: tuple[str, ...] = ()
    cached: bool = False
    store: str = "read"


class Validated:
    """A message that cannot exist with unusable values; raises Invalid from its constructor."""

    __slots__ = ()
    declaration: ClassVar[Declaration]

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in hints_of(type(self))}
        found = problems(type(self), values) or dict(self.check())
        if found:
            raise Invalid(type(self).__name__, found)

    def check(self) -> Iterator[tuple[str, str]]:
        """Rules over several fields: yields (field, sentence). Overridden where needed."""
        return iter(())


class Command(Validated):
    """A task somebody wants done; may be refused."""

    __slots__ = ()


class Query(Validated):
    """A question; changes nothing."""

    __slots__ = ()


class Event:
    """Something that happened; `schema` counts the shapes its payload has had."""

    __slots__ = ()
    schema: ClassVar[int] = 1


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    *, label: str, permission: str, minds_version: bool = False, risky: bool = False
) -> Callable[[C], C]:
    """Declare a command. `minds_version`: a change since the operator looked is a conflict;
    `risky`: not easily undone, so a page makes it look so."""
    return _declare(Declaration(label, permission, minds_version=minds_version, risky=risky))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def query(
    *,
    label: str,
    permission: str,
    reads: tuple[str, ...] = (),
    cached: bool = False,
    store: str = "read",
) -> Callable[[C], C]:
    """Declare a query. `reads`: the projections it answers from; `cached`: keep the answer;
    `store`: "read", or "write" for questions about events and the command log themselves."""
    return _declare(Declaration(label, permission, reads=reads, cached=cached, store=store))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(*, schema: int = 1) -> Callable[[C], C]:
    """Declare an event with the number of its payload's shape."""

    def decorate(cls: C) -> C:
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.schema = schema
        return cast(C, made)

    return decorate


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: C) -> C:
    """A frozen part of a message, such as an order line."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    return cast(C, made)


def _declare(declaration: Declaration) -> Callable[[C], C]:
    def decorate(cls: C) -> C:
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.declaration = declaration
        return cast(C, made)

    return decorate


def hints_of(cls: Any) -> dict[str, Any]:
    """Field name -> annotated type, in order of declaration."""
    return _hints_of(cls)


@cache
def _hints_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


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
    for argument in get_args(hint):
        found = argument if isinstance(argument, msgspec.Meta) else meta_of(argument)
        if found is not None:
            return found
    return None


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
        return dict([_told(place, error)])
    except Invalid as error:
        return {place: error.sentence}
    return dict(_inside(found, hint, place))


def parse(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build a message from plain values (JSON, a stored payload).

    Raises Invalid with a sentence per field: unknown, missing or unusable.
    """
    hints = hints_of(cls)
    found = {name: "There is no such field." for name in values if name not in hints}
    found |= {name: "This is needed." for name in required_of(cls) if name not in values}
    converted = {}
    for name in hints.keys() & values.keys():
        try:
            converted[name] = msgspec.convert(values[name], hints[name])
        except msgspec.ValidationError as error:
            found |= dict([_told(name, error)])
    if found:
        raise Invalid(cls.__name__, found)
    return cls(**converted)


_SENTENCES = (
    (r"Expected `str` of length >= 1$", "This is needed."),
    (r"Expected `str` of length >= (\d+)", r"Write at least \1 characters."),
    (r"Expected `str` of length <= (\d+)", r"Write at most \1 characters."),
    (r"Expected `str` matching regex.*", "This has characters that cannot be used here."),
    (r"Expected `int` >= (-?\d+)", r"Must be \1 or more."),
    (r"Expected `int` <= (-?\d+)", r"Must be \1 or less."),
    (r"Expected `int`.*", "Write a whole number."),
    (r"Invalid decimal string|Expected `decimal`.*", "Write a number, such as 12.50."),
    (r"Invalid enum value.*", "Choose one from the list."),
    (r"Expected `array` of length >= 1$", "At least one is needed."),
    (r"Expected `array` of length <= (\d+)", r"At most \1 are possible."),
    (r"Invalid RFC3339.*", "Write a date and time, such as 2026-03-31T14:05:00Z."),
    (r"Expected `str`.*", "Write a text."),
    (r"Expected `bool`.*", "Write true or false."),
    (r"Expected `array`.*", "Write a list."),
    (r"Expected `object`.*", "Write an object with named values."),
    (r"Expected `date`.*|Invalid ISO8601.*", "Write a date, such as 2026-03-31."),
)


def _told(place: str, error: msgspec.ValidationError) -> tuple[str, str]:
    """Where the decoder stopped, below `place`, and its message as a sentence for people."""
    text, _, inside = str(error).partition(" - at ")
    parts = re.findall(r"[^.\[\]]+", inside.strip("`").removeprefix("$"))
    missing = re.match(r"Object missing required field `([^`]*)`", text)
    if missing:
        return ".".join((place, *parts, missing[1])), "This is needed."
    for pattern, sentence in _SENTENCES:
        if re.match(pattern, text):
            text = re.sub(pattern, sentence, text)
            break
    return ".".join((place, *parts)), text


def _inside(found: Any, hint: Any, place: str) -> Iterator[tuple[str, str]]:
    """What the decoder does not see: limits of decimals, and of values that were made before."""
    if isinstance(found, Decimal):
        yield from ((place, text) for text in _decimal_problem(found, hint))
    elif isinstance(found, tuple):
        for index, each in enumerate(found):
            yield from _inside(each, None, f"{place}.{index}")
    elif is_dataclass(found):
        cls = type(found)
        values = {name: getattr(found, name) for name in hints_of(cls)}
        for name, text in problems(cls, values).items():
            yield f"{place}.{name}", text


def _decimal_problem(number: Decimal, hint: Any) -> Iterator[str]:
    # The decoder knows limits of int and float only; a decimal's stand in `extra`.
    meta = meta_of(hint)
    limits = (meta.extra or {}) if meta else {}
    if not number.is_finite():
        yield "Write a number, such as 12.50."
    elif "ge" in limits and number < limits["ge"]:
        yield f"Must be {limits['ge']} or more."
    elif "le" in limits and number > limits["le"]:
        yield f"Must be {limits['le']} or less."
    elif "places" in limits and -_exponent(number) > limits["places"]:
        yield f"At most {limits['places']} digits after the point."


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
