"""The options of a command or query, derived from its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import click

from cqrs_app.interfaces.cli.field_types import Rows, type_of
from cqrs_app.kernel.messages.description import Field, fields_of
from cqrs_app.kernel.messages.fields import hints_of, plain_json


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
    for path, field, needed in _leaves_of(cls, (), needed=True):
        text = _help(field, needed=needed)
        if field.kind is bool and not field.many:
            yield FieldOption(path, switch=True, help=text)
        else:
            yield FieldOption(path, type=type_of(field.kind), multiple=field.many, help=text)


def values_given(ctx: click.Context) -> dict[str, Any]:
    """The options as plain values for `parse`: the file's fields, overridden by the options. Raises
    click.UsageError if the file holds no JSON object.
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
    """A problem with its option: "--lines, row 1, quantity: Must be 1 or more."."""
    parts = place.split(".")
    if parts[0] not in hints_of(cls):
        return f"{place}: {sentence}"
    path = []
    while parts and not parts[0].isdecimal():
        path.append(parts.pop(0))
    inside = [f"row {int(part) + 1}" if part.isdecimal() else part for part in parts]
    return f"{', '.join([option_name(tuple(path)), *inside])}: {sentence}"


def _leaves_of(
    cls: Any, path: tuple[str, ...], *, needed: bool
) -> Iterator[tuple[tuple[str, ...], Field, bool]]:
    """Path, field, and whether it is required; of a nested value each part."""
    for field in fields_of(cls):
        here = (*path, field.name)
        if field.holds_values and not field.many:
            yield from _leaves_of(field.kind, here, needed=needed and field.needed)
        else:
            yield here, field, needed and field.needed


def _help(field: Field, *, needed: bool) -> str:
    parts = [f"{field.title}."]
    if field.help:
        parts.append(field.help)
    if field.many:
        rows = isinstance(type_of(field.kind), Rows)
        parts.append("Repeat for more, or give one JSON array." if rows else "Repeat for more.")
    parts += _limits(field)
    if needed:
        parts.append("[required]")
    elif field.default not in (None, "", ()):
        parts.append(f"[default: {_shown(field.default)}]")
    return " ".join(parts)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default.value if isinstance(default, Enum) else default)


def _limits(field: Field) -> Iterator[str]:
    limits = field.limits
    if "ge" in limits and "le" in limits:
        yield f"From {limits['ge']:,} to {limits['le']:,}."
    if "max_length" in limits:
        what = "" if field.many else " characters"
        shortest = f"{limits['min_length']} to " if limits.get("min_length") else "At most "
        yield f"{shortest}{limits['max_length']:,}{what}."


def _from_file(ctx: click.Context) -> dict[str, Any]:
    file = ctx.params.get("fields_text")
    if file is None:
        return {}
    try:
        values = plain_json(file.read())
    except ValueError as error:
        raise click.UsageError(f"--fields: {error}", ctx) from None
    if not isinstance(values, dict):
        raise click.UsageError("--fields: Enter an object with named values.", ctx)
    return values


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, dict) else {}
        values = inner
    values[path[-1]] = value
