"""The description of each command, event and query, for people and programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, get_args, get_origin
from weakref import WeakKeyDictionary

import msgspec

from cqrs_app.kernel.messages.description import (
    Field,
    fields_of,
    summary_of,
    values_in,
)
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.registry import Area, Registry
from cqrs_app.platform.catalogue.examples import example_of, known_examples

Kind = Literal["command", "event", "query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEntry:
    """One field: `type` and `limits` in words, `default` as a plain value, None if the field is
    needed."""

    name: str
    title: str
    help: str
    type: str
    limits: tuple[str, ...]
    needed: bool
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message. `parts` are the fields of the values in it, by type. `refusals` maps codes of a
    command's rules to their meaning. `example` holds plain values of its fields. `version` is the
    schema number of an event."""

    name: str
    kind: Kind
    area: str
    label: str
    summary: str
    fields: tuple[FieldEntry, ...]
    parts: Mapping[str, tuple[FieldEntry, ...]]
    example: Mapping[str, Any]
    permission: str | None = None
    refusals: Mapping[str, str] = dataclasses.field(default_factory=dict)
    minds_version: bool = False
    risky: bool = False
    cached: bool = False
    reads: tuple[str, ...] = ()
    version: int = 1


_DESCRIBED: WeakKeyDictionary[Registry, tuple[Entry, ...]] = WeakKeyDictionary()
"""Cached because a registry never changes and describing it takes as long as rendering a page."""


def entries(registry: Registry) -> tuple[Entry, ...]:
    """All messages of the areas, in their order: commands, then queries, then events."""
    if registry not in _DESCRIBED:
        _DESCRIBED[registry] = _described(registry)
    return _DESCRIBED[registry]


def _described(registry: Registry) -> tuple[Entry, ...]:
    known = known_examples([*registry.commands.values()])
    found = [entry for area in registry.areas for entry in _of_area(area, known, registry)]
    kinds: list[Kind] = ["command", "query", "event"]
    return tuple(sorted(found, key=lambda entry: kinds.index(entry.kind)))


def _of_area(area: Area, known: Mapping[str, Any], registry: Registry) -> Iterator[Entry]:
    for command in area.handlers:
        yield _message(area, command, "command", registry.routes[command].refusals)
    for query in area.answers:
        if query.declaration.listed:
            yield _message(area, query, "query", {})
    for event in area.event_types:
        yield _event(area, event, known)


def _message(area: Area, cls: Any, kind: Kind, refusals: Mapping[str, str]) -> Entry:
    declared = cls.declaration
    return Entry(
        name=cls.__name__,
        kind=kind,
        area=area.topic or area.name,
        label=declared.label,
        summary=summary_of(cls),
        **_fields(cls),
        example=example_of(cls, whole=kind == "command"),
        permission=str(declared.permission),
        refusals=refusals,
        minds_version=declared.minds_version,
        risky=declared.risky,
        cached=declared.cached,
        reads=declared.reads,
    )


def _event(area: Area, cls: type[Event], known: Mapping[str, Any]) -> Entry:
    return Entry(
        name=cls.__name__,
        kind="event",
        area=area.topic or area.name,
        label=_words(cls.__name__),
        summary=summary_of(cls),
        **_fields(cls),
        example=example_of(cls, known=known),
        version=cls.schema,
    )


def _words(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.strip().capitalize()


def _fields(cls: type) -> dict[str, Any]:
    """The fields of a message, and of the values in it."""
    fields = {each: tuple(map(_field, fields_of(each))) for each in (cls, *values_in(cls))}
    return {"fields": fields.pop(cls), "parts": {each.__name__: fields[each] for each in fields}}


def _field(field: Field) -> FieldEntry:
    return FieldEntry(
        name=field.name,
        title=field.title,
        help=field.help,
        type=_type_of(field),
        limits=tuple(_limits(field)),
        needed=field.needed,
        default=None if field.needed else msgspec.to_builtins(field.default),
    )


def _type_of(field: Field) -> str:
    """A type in words: choices are listed, values are named."""
    words = f"list of {_words_for(field.kind)}" if field.many else _words_for(field.kind)
    return f"{words} or null" if field.nullable else words


def _words_for(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " | ".join(str(member.value) for member in kind)
    return _TYPES.get(kind) or kind.__name__


def _limits(field: Field) -> Iterator[str]:
    for name, sentence in _SENTENCES[field.many].items():
        if name in field.limits:
            yield sentence.format(field.limits[name])


_TYPES = {
    str: "string",
    int: "integer",
    bool: "boolean",
    float: "number",
    Decimal: "decimal",
    date: "date",
    datetime: "date-time",
}
_VALUE = {"ge": "{} or more", "le": "{} or less", "places": "at most {} digits after the point"}
_SENTENCES: Mapping[bool, Mapping[str, str]] = {
    False: {"min_length": "at least {} long", "max_length": "at most {} long"} | _VALUE,
    True: {"min_length": "at least {} of them", "max_length": "at most {} of them"},
}
