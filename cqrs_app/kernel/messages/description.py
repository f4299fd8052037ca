"""The fields of a message, described once for every door: forms, command line, catalogue, API."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Meta

from cqrs_app.kernel.messages.fields import hints_of, plain_type, required_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    `kind` is its type without limits and without `None`; of a list it is the type of the items,
    and `many` is true. `metas` are the limits and labels written beside the type, from the inside
    out. `default` is None where the field is `needed`.
    """

    name: str
    kind: Any
    many: bool
    needed: bool
    default: Any
    metas: tuple[Meta, ...]

    @property
    def title(self) -> str:
        titles = [meta.title for meta in self.metas if meta.title]
        return titles[-1] if titles else self.name.replace("_", " ").capitalize()

    @property
    def help(self) -> str:
        texts = [meta.description for meta in self.metas if meta.description]
        return texts[-1] if texts else ""

    @property
    def hints(self) -> dict[str, Any]:
        """What `Meta(extra=...)` says, such as the widget of a form."""
        return {key: value for meta in self.metas for key, value in (meta.extra or {}).items()}

    @property
    def holds_values(self) -> bool:
        """Whether its kind is a value with fields of its own, such as an order line."""
        return isinstance(self.kind, type) and is_dataclass(self.kind)


@cache
def fields_of(cls: Any) -> tuple[Field, ...]:
    """The fields of a message or a value, in order of declaration."""
    defaults = {field.name: _default(field) for field in fields(cls)}
    return tuple(
        Field(
            name=name,
            kind=_item_of(plain_type(hint)) or plain_type(hint),
            many=_item_of(plain_type(hint)) is not None,
            needed=name in required_of(cls),
            default=defaults[name],
            metas=tuple(_metas_in(hint)),
        )
        for name, hint in hints_of(cls).items()
    )


def field_of(cls: Any, name: str) -> Field:
    """Raises LookupError for a name that no field has."""
    for field in fields_of(cls):
        if field.name == name:
            return field
    raise LookupError(f"{cls.__name__} has no field {name}")


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _item_of(kind: Any) -> Any:
    """What a tuple of any length holds, or None for another type."""
    if get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,):
        return plain_type(get_args(kind)[0])
    return None


def _metas_in(hint: Any) -> Iterator[Meta]:
    """Also inside an optional type; not those of the items of a list."""
    for part in get_args(hint):
        if isinstance(part, Meta):
            yield part
        elif get_origin(hint) in (Annotated, Union, types.UnionType):
            yield from _metas_in(part)
