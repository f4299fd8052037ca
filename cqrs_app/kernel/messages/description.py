"""Describes the fields of a message, once for forms, command line, catalogue and API."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Meta

from cqrs_app.kernel.messages.fields import hints_of, plain_type, required_of

LIMITS = ("ge", "le", "min_length", "max_length", "pattern", "places")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    `hint` is the declared type. `kind` is that type without limits and without `None`; for a list
    it is the type of the items, and `many` is true. `metas` are the declared limits and labels,
    innermost first; outer ones take precedence. `default` is None if the field is `needed`.
    """

    name: str
    hint: Any
    kind: Any
    many: bool
    needed: bool
    default: Any
    metas: tuple[Meta, ...]

    @property
    def title(self) -> str:
        return self.declared("title") or self.name.replace("_", " ").capitalize()

    @property
    def help(self) -> str:
        return self.declared("description") or ""

    @property
    def example(self) -> Any:
        """The first example, or None."""
        examples = self.declared("examples")
        return examples[0] if examples else None

    @property
    def hints(self) -> dict[str, Any]:
        """The contents of `Meta(extra=...)`, such as the widget of a form."""
        return {key: value for meta in self.metas for key, value in (meta.extra or {}).items()}

    @property
    def limits(self) -> dict[str, Any]:
        """The declared limits among LIMITS. For a list, lengths count items."""
        return limits_in(self.metas)

    @property
    def nullable(self) -> bool:
        """Whether it may be `None`."""
        return _has_none(self.hint)

    @property
    def holds_values(self) -> bool:
        """Whether its kind is a value with fields, such as an order line."""
        return isinstance(self.kind, type) and is_dataclass(self.kind)

    def declared(self, attribute: str) -> Any:
        """The attribute's value in the outermost Meta that sets it, or None."""
        return _declared(self.metas, attribute)


def fields_of(cls: Any) -> tuple[Field, ...]:
    """The fields of a message or a value, in order of declaration. For a parametrized generic, such
    as `Page[OrderRow]`, the argument replaces the type variable."""
    return _fields_of(cls)


@cache
def _fields_of(cls: Any) -> tuple[Field, ...]:
    generic = get_origin(cls)
    if generic is not None:
        return tuple(_with_argument(field, get_args(cls)) for field in _fields_of(generic))
    defaults = {field.name: _default(field) for field in fields(cls)}
    return tuple(
        Field(
            name=name,
            needed=name in required_of(cls),
            default=defaults[name],
            **_described(hint),
        )
        for name, hint in hints_of(cls).items()
    )


def _with_argument(field: Field, arguments: tuple[Any, ...]) -> Field:
    if not getattr(field.hint, "__parameters__", ()):
        return field
    return replace(field, **_described(field.hint[arguments]))


def _described(hint: Any) -> dict[str, Any]:
    item = item_of(hint)
    return {
        "hint": hint,
        "kind": plain_type(item or hint),
        "many": item is not None,
        "metas": tuple(_metas_in(hint)),
    }


def field_of(cls: Any, name: str) -> Field:
    """The field of this name. Raises LookupError if there is none."""
    for field in fields_of(cls):
        if field.name == name:
            return field
    raise LookupError(f"{cls.__name__} has no field {name}")


def summary_of(cls: Any) -> str:
    """The docstring on one line. Empty where a dataclass or an enum has only a generated
    docstring."""
    text = cls.__doc__ or ""
    generated = text.startswith(f"{cls.__name__}(") or text == (Enum.__doc__ or "")
    return "" if generated else " ".join(text.split())


def values_in(cls: Any) -> tuple[Any, ...]:
    """The types of the values nested in a message, at any depth, each once."""
    found: dict[Any, None] = {}
    for field in fields_of(cls):
        if field.holds_values:
            found |= dict.fromkeys((field.kind, *values_in(field.kind)))
    return (*found,)


def item_of(hint: Any) -> Any:
    """The item type of a list of any length, with its limits; None for other types."""
    kind = plain_type(hint)
    if get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,):
        return get_args(kind)[0]
    return None


def _has_none(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _has_none(get_args(hint)[0])
    return type(None) in get_args(hint) and get_origin(hint) in (Union, types.UnionType)


def limits_in(metas: tuple[Meta, ...]) -> dict[str, Any]:
    """The limits that these declare. Those of decimals are in `extra`."""
    found = {name: _declared(metas, name) for name in LIMITS}
    extra = {name: value for meta in metas for name, value in (meta.extra or {}).items()}
    found |= {name: extra[name] for name in LIMITS if name in extra}
    return {name: value for name, value in found.items() if value is not None}


def _declared(metas: tuple[Meta, ...], attribute: str) -> Any:
    found = [getattr(meta, attribute, None) for meta in metas]
    return next((value for value in reversed(found) if value is not None), None)


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _metas_in(hint: Any) -> Iterator[Meta]:
    """Includes those inside an optional type, but not those of a list's items."""
    for part in get_args(hint):
        if isinstance(part, Meta):
            yield part
        elif get_origin(hint) in (Annotated, Union, types.UnionType):
            yield from _metas_in(part)
