"""JSON Schemas of messages and responses, from the same description of fields as forms and options.
A class is a component under its own name, so no two classes of a document may share one. What
client generators cannot read is avoided: patterns use the common subset of regular expressions, and
a tuple of fixed length is a list of that length.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from cqrs_app.kernel.messages.description import Field, fields_of, item_of, limits_in, summary_of
from cqrs_app.kernel.messages.patterns import portable
from cqrs_app.platform.runtime.records import RECORDS

Schema = dict[str, Any]

_PLAIN: Mapping[Any, Schema] = {
    Any: {},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Decimal: {"type": "string", "format": "decimal"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}
_NUMBER = {"ge": "minimum", "le": "maximum"}
_TEXT = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_LIST = {"min_length": "minItems", "max_length": "maxItems"}
_KEYWORDS = {"integer": _NUMBER, "number": _NUMBER, "string": _TEXT, "array": _LIST}


@dataclass(slots=True)
class Components:
    """The schemas that others refer to, by name."""

    schemas: dict[str, Schema] = field(default_factory=dict)
    _types: dict[str, Any] = field(default_factory=dict)

    def is_new(self, name: str, kind: Any) -> bool:
        """Whether this type has no schema yet. Raises ValueError if another type has its name."""
        if self._types.setdefault(name, kind) != kind:
            raise ValueError(f"two types of the API are called {name}")
        return name not in self.schemas

    def add(self, name: str, schema: Schema) -> Schema:
        """Register the schema under this name; returns the reference to it."""
        if self.is_new(name, name):
            self.schemas[name] = schema
        return reference(name)


@dataclass(frozen=True, slots=True)
class Schemas:
    """Generates schemas. `complete`: for responses, where no field is ever left out; requests may
    lack the fields that have a default.
    """

    components: Components
    complete: bool

    def of(self, hint: Any) -> Schema:
        """The schema of a type, with its limits. Raises TypeError for a type that JSON cannot
        represent.
        """
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            metas = [each for each in arguments[1:] if isinstance(each, msgspec.Meta)]
            return _annotated(self.of(arguments[0]), metas)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin is Literal:
            return {"type": "string", "enum": [*arguments]}
        if isinstance(origin, type) and issubclass(origin, tuple | frozenset):
            return self._list_of(hint)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        shown = RECORDS.get(hint, hint)
        return self._component(shown, origin or shown)

    def parameters_of(self, cls: Any) -> dict[str, Schema]:
        """The fields of a message as query parameters: nullable ones and those with a default may
        be left out.
        """
        return {each.name: without_null(self._field(each)) for each in fields_of(cls)}

    def _list_of(self, hint: Any) -> Schema:
        items = [each for each in get_args(hint) if each is not Ellipsis]
        if any(each != items[0] for each in items):
            raise TypeError(f"{hint} holds several types: make it a value with named fields")
        schema: Schema = {"type": "array", "items": self.of(items[0])}
        if get_origin(hint) is tuple and item_of(hint) is None:
            schema |= {"minItems": len(items), "maxItems": len(items)}
        return schema

    def _component(self, hint: Any, cls: Any) -> Schema:
        if not isinstance(cls, type) or not (is_dataclass(cls) or issubclass(cls, Enum)):
            raise TypeError(f"{hint} has no schema")
        parts = [RECORDS.get(each, each) for each in get_args(hint)]
        name = "".join(each.__name__ for each in (*parts, cls))
        if self.components.is_new(name, hint):
            self.components.schemas[name] = {}  # a value may hold others of its kind
            made = self._enum(cls) if issubclass(cls, Enum) else self._object(hint, cls)
            self.components.schemas[name] = made
        return reference(name)

    def _object(self, hint: Any, cls: Any) -> Schema:
        found = fields_of(hint)
        schema: Schema = {"type": "object", "description": summary_of(cls)}
        schema["properties"] = {each.name: self._field(each) for each in found}
        schema["required"] = [each.name for each in found if self.complete or each.needed]
        return {name: part for name, part in schema.items() if part or name == "properties"}

    def _field(self, found: Field) -> Schema:
        schema = self.of(found.hint)
        if found.needed or self.complete or "$ref" in schema or found.default is None:
            return schema
        return schema | {"default": msgspec.to_builtins(found.default)}

    def _enum(self, cls: type[Enum]) -> Schema:
        values = [member.value for member in cls]
        return {"type": "string", "enum": values} | _described(summary_of(cls))


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str, properties: Schema, optional: Iterable[str] = ()) -> Schema:
    """An object with all fields present, except the optional ones."""
    required = [name for name in properties if name not in {*optional}]
    return _described(description) | {
        "type": "object",
        "properties": properties,
        "required": required,
    }


def one_of(name: str, variants: Mapping[str, Schema]) -> Schema:
    """Objects distinguished by the value of the field `name`; the variants are references."""
    mapping = {value: schema["$ref"] for value, schema in variants.items()}
    return {
        "oneOf": [*variants.values()],
        "discriminator": {"propertyName": name, "mapping": mapping},
    }


def _described(text: str) -> Schema:
    return {"description": text} if text else {}


def _annotated(schema: Schema, metas: list[msgspec.Meta]) -> Schema:
    # Not every tool reads keywords beside a reference.
    if "$ref" in schema:
        return schema
    labels = {
        name: value
        for meta in metas
        for name in ("title", "description", "examples")
        if (value := getattr(meta, name)) is not None
    }
    limits, keywords = limits_in(tuple(metas)), _KEYWORDS.get(schema.get("type", ""), {})
    limited = {word: limits[name] for name, word in keywords.items() if name in limits}
    extra = {key: value for meta in metas for key, value in (meta.extra_json_schema or {}).items()}
    schema = schema | labels | limited | extra
    if "pattern" in schema:
        schema["pattern"] = portable(schema["pattern"])
    return schema


def without_null(schema: Schema) -> Schema:
    kinds: list[Schema] = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    outside = {name: part for name, part in schema.items() if name != "anyOf"}
    return kinds[0] if "$ref" in kinds[0] else kinds[0] | outside
