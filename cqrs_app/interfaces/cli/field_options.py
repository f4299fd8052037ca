"""The options of a command or query, derived from its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

import click
from msgspec import Meta

from cqrs_app.interfaces.cli.field_types import Kind, Rows, kind_of, type_of
from cqrs_app.kernel.messages.fields import hints_of, plain_json, required_of


class FieldOption(click.Option):
    """The option for one field; `path` leads to it, such as ("shipping_address", "city")."""

    def __init__(self, path: tuple[str, ...], **rest: Any) -> None:
        self.path = path
        name = option_name(path)
        flags = f"{name}/--no-{name[2:]}" if rest.pop("switch", False) else name
        super().__init__([flags, f"field_{'__'.join(path)}"], default=None, **rest)


fields_file = click.Option(
    ["--fields", "fields_text"],
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="Read the fields from a JSON object in FILE, - for standard input. Options go on top.",
)


def option_name(path: tuple[str, ...]) -> str:
    """("shipping_address", "city") -> "--shipping-address.city"."""
    return "--" + ".".join(path).replace("_", "-")


def options_for(cls: Any) -> Iterator[FieldOption]:
    """The options of a message's fields, in order; nested values have one per part."""
    for field in _fields_of(cls, (), needed=True):
        kind = kind_of(field.hint)
        text = _help(field, kind)
        if kind.base is bool and not kind.many:
            yield FieldOption(field.path, switch=True, help=text)
        else:
            yield FieldOption(field.path, type=type_of(kind.base), multiple=kind.many, help=text)


def values_given(ctx: click.Context) -> dict[str, Any]:
    """What was typed, as plain values for `parse`: the file's fields with the options on top.

    Raises click.UsageError when the file holds no JSON object.
    """
    values = _from_file(ctx)
    for option in ctx.command.params:
        given = ctx.params.get(option.name or "")
        if not isinstance(option, FieldOption) or given is None or given == ():
            continue
        if isinstance(option.type, Rows):
            given = [row for rows in given for row in rows]
        _put(values, option.path, list(given) if isinstance(given, tuple) else given)
    return values


def told(cls: Any, place: str, sentence: str) -> str:
    """A problem beside its option: "--lines, row 1, quantity: Must be 1 or more."."""
    parts = place.split(".")
    if parts[0] not in hints_of(cls):
        return f"{place}: {sentence}"
    path = []
    while parts and not parts[0].isdecimal():
        path.append(parts.pop(0))
    inside = [f"row {int(part) + 1}" if part.isdecimal() else part for part in parts]
    return f"{', '.join([option_name(tuple(path)), *inside])}: {sentence}"


@dataclass(frozen=True, slots=True)
class _Field:
    path: tuple[str, ...]
    hint: Any
    needed: bool
    default: Any


def _fields_of(cls: Any, path: tuple[str, ...], *, needed: bool) -> Iterator[_Field]:
    hints, required = hints_of(cls), required_of(cls)
    for field in fields(cls):
        hint, here = hints[field.name], needed and field.name in required
        kind = kind_of(hint)
        if is_dataclass(kind.base) and not kind.many:
            yield from _fields_of(kind.base, (*path, field.name), needed=here)
        else:
            default = None if field.default is MISSING else field.default
            yield _Field((*path, field.name), hint, here, default)


def _help(field: _Field, kind: Kind) -> str:
    meta = _meta_of(field.hint)
    parts = [f"{(meta and meta.title) or field.path[-1].replace('_', ' ').capitalize()}."]
    if meta and meta.description:
        parts.append(meta.description)
    if kind.many:
        rows = isinstance(type_of(kind.base), Rows)
        parts.append("Repeat for more, or give one JSON array." if rows else "Repeat for more.")
    parts += _limits(meta, kind)
    if field.needed:
        parts.append("[required]")
    elif field.default not in (None, "", ()):
        parts.append(f"[default: {_shown(field.default)}]")
    return " ".join(parts)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default.value if isinstance(default, Enum) else default)


def _limits(meta: Meta | None, kind: Kind) -> Iterator[str]:
    if meta is None:
        return
    extra = meta.extra or {}
    least, most = meta.ge if meta.ge is not None else extra.get("ge"), meta.le
    most = most if most is not None else extra.get("le")
    if least is not None and most is not None:
        yield f"From {least:,} to {most:,}."
    if meta.max_length:
        what = "" if kind.many else " characters"
        shortest = f"{meta.min_length} to " if meta.min_length else "At most "
        yield f"{shortest}{meta.max_length:,}{what}."


def _meta_of(hint: Any) -> Meta | None:
    """The field's own label and limits, not those of the items of its list."""
    if get_origin(hint) is not Annotated:
        return None
    metas = [each for each in get_args(hint)[1:] if isinstance(each, Meta)]
    return metas[-1] if metas else None


def _from_file(ctx: click.Context) -> dict[str, Any]:
    file = ctx.params.get("fields_text")
    if file is None:
        return {}
    try:
        values = plain_json(file.read())
    except ValueError as error:
        raise click.UsageError(f"--fields: {error}", ctx) from None
    if not isinstance(values, dict):
        raise click.UsageError("--fields: Write an object with named values.", ctx)
    return values


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, dict) else {}
        values = inner
    values[path[-1]] = value
