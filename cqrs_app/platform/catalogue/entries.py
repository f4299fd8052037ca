"""What people and programs are told of each command, event and query."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.registry import Area, Registry
from cqrs_app.platform.catalogue.examples import example_of, known_examples

Kind = Literal["command", "event", "query"]
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEntry:
    """One field: `type` and `limits` in words; `default` as plain value, absent when needed."""

    name: str
    title: str
    help: str
    type: str
    limits: tuple[str, ...]
    needed: bool
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message. `parts` are the fields of the values inside it, by type; `refusals` maps the
    codes of a command's rules to what they mean; `example` holds plain values of its fields;
    `version` counts the shapes an event has had."""

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
"""A registry never changes, and describing it takes as long as a page does."""


def entries(registry: Registry) -> tuple[Entry, ...]:
    """Everything the areas declare, in their order: commands, then queries, then events."""
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
        yield _message(area, query, "query", {})
    for event in area.event_types:
        yield _event(area, event, known)


def _message(area: Area, cls: Any, kind: Kind, refusals: Mapping[str, str]) -> Entry:
    declared = cls.declaration
    return Entry(
        name=cls.__name__,
        kind=kind,
        area=area.name,
        label=declared.label,
        summary=_summary(cls),
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
        area=area.name,
        label=_words(cls.__name__),
        summary=_summary(cls),
        **_fields(cls),
        example=example_of(cls, known=known),
        version=cls.schema,
    )


def _summary(cls: type) -> str:
    """Its docstring; a dataclass without one has its own signature instead."""
    text = cls.__doc__ or ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split())


def _words(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.strip().capitalize()


def _fields(cls: type) -> dict[str, Any]:
    """The fields of a message, and of the values inside it."""
    _, components = msgspec.json.schema_components([cls], ref_template="{name}")
    shapes = {name: shape for name, shape in components.items() if "properties" in shape}
    classes = {each.__name__: each for each in _values_in(cls)}
    told = {name: tuple(_told(classes[name], shapes[name], components)) for name in shapes}
    return {"fields": told.pop(cls.__name__), "parts": told}


def _values_in(cls: type) -> Iterator[type]:
    yield cls
    for field in fields_of(cls):
        if field.holds_values:
            yield from _values_in(field.kind)


def _told(cls: type, shape: Schema, components: Schema) -> Iterator[FieldEntry]:
    for field in fields_of(cls):
        schema = shape["properties"][field.name]
        yield FieldEntry(
            name=field.name,
            title=field.title,
            help=field.help,
            type=_type_of(schema, components),
            limits=tuple(_limits(schema)),
            needed=field.needed,
            default=None if field.needed else msgspec.to_builtins(field.default),
        )


def _type_of(schema: Schema, components: Schema) -> str:
    """A type in words; choices are listed, values are named."""
    if "$ref" in schema:
        found = components[schema["$ref"]]
        return _type_of(found, components) if "enum" in found else str(schema["$ref"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    inside = schema.get("anyOf") or schema.get("allOf")
    if inside:
        return " or ".join(_type_of(each, components) for each in inside)
    if schema.get("items"):
        return f"list of {_type_of(schema['items'], components)}"
    return str(schema.get("format") or schema.get("type", "anything"))


_LIMITS = (
    ("minLength", "at least {} long"),
    ("maxLength", "at most {} long"),
    ("minimum", "{} or more"),
    ("maximum", "{} or less"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
)


def _limits(schema: Schema) -> Iterator[str]:
    for part in (schema, *schema.get("anyOf", ())):
        for name, sentence in _LIMITS:
            if name in part:
                yield sentence.format(part[name])
