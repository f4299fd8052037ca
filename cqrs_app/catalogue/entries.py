"""What people and programs are told of each command, event and query."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Literal

import msgspec

from cqrs_app.catalogue.examples import example_of
from cqrs_app.kernel.fields import hints_of, meta_of, required_of
from cqrs_app.kernel.messages import Event
from cqrs_app.kernel.registry import Area, Registry

Kind = Literal["command", "event", "query"]


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
    """One message. `refusals` maps the codes of a command's rules to what they mean; `example`
    holds plain values of its fields; `version` counts the shapes an event has had."""

    name: str
    kind: Kind
    area: str
    label: str
    summary: str
    fields: tuple[FieldEntry, ...]
    example: Mapping[str, Any]
    permission: str | None = None
    refusals: Mapping[str, str] = dataclasses.field(default_factory=dict)
    minds_version: bool = False
    risky: bool = False
    cached: bool = False
    reads: tuple[str, ...] = ()
    version: int = 1


def entries(registry: Registry) -> tuple[Entry, ...]:
    """Everything the areas declare, in their order: commands, then queries, then events."""
    found = [entry for area in registry.areas for entry in _of_area(area)]
    kinds: list[Kind] = ["command", "query", "event"]
    return tuple(sorted(found, key=lambda entry: kinds.index(entry.kind)))


def _of_area(area: Area) -> Iterator[Entry]:
    for methods in area.handles.values():
        for command in methods:
            yield _message(area, command, "command", area.refusals.get(command, {}))
    for query in {**area.answers, **area.answers_from_state}:
        yield _message(area, query, "query", {})
    for event in area.events:
        yield _event(area, event)


def _message(area: Area, cls: Any, kind: Kind, refusals: Mapping[str, str]) -> Entry:
    declared = cls.declaration
    return Entry(
        name=cls.__name__,
        kind=kind,
        area=area.name,
        label=declared.label,
        summary=_summary(cls),
        fields=_fields(cls),
        example=example_of(cls, whole=kind == "command"),
        permission=declared.permission,
        refusals=refusals,
        minds_version=declared.minds_version,
        risky=declared.risky,
        cached=declared.cached,
        reads=declared.reads,
    )


def _event(area: Area, cls: type[Event]) -> Entry:
    return Entry(
        name=cls.__name__,
        kind="event",
        area=area.name,
        label=_words(cls.__name__),
        summary=_summary(cls),
        fields=_fields(cls),
        example=example_of(cls),
        version=cls.schema,
    )


def _summary(cls: type) -> str:
    """Its docstring; a dataclass without one has its own signature instead."""
    text = cls.__doc__ or ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split())


def _words(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.strip().capitalize()


def _fields(cls: type) -> tuple[FieldEntry, ...]:
    _, components = msgspec.json.schema_components([cls], ref_template="{name}")
    schema = components[cls.__name__]["properties"]
    needed = required_of(cls)
    return tuple(_field(cls, name, schema[name], needed=name in needed) for name in hints_of(cls))


def _field(cls: type, name: str, schema: Mapping[str, Any], *, needed: bool) -> FieldEntry:
    meta = meta_of(hints_of(cls)[name])
    return FieldEntry(
        name=name,
        title=(meta and meta.title) or name.replace("_", " ").capitalize(),
        help=(meta and meta.description) or "",
        type=_type_of(schema),
        limits=tuple(_limits(schema)),
        needed=needed,
        default=None if needed else msgspec.to_builtins(_default(cls, name)),
    )


def _default(cls: type, name: str) -> Any:
    field = next(each for each in dataclasses.fields(cls) if each.name == name)
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _type_of(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_of(each) for each in schema["anyOf"])
    if "allOf" in schema:
        return _type_of(schema["allOf"][0])
    if "$ref" in schema:
        return str(schema["$ref"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type_of(schema['items'])}" if schema.get("items") else "list"
    return str(schema.get("format") or schema.get("type", "anything"))


_LIMITS = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "{} or more"),
    ("maximum", "{} or less"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
    ("pattern", "matches {}"),
)


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("anyOf", ())):
        for name, sentence in _LIMITS:
            if name in part:
                yield sentence.format(part[name])
