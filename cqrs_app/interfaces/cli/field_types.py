"""Click types for the fields of a message. Limits are not checked here: the kernel's `parse`
reports them in the same words everywhere.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import click
import msgspec

from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.fields import plain_json

_NUMBERS = {int: "INTEGER", float: "NUMBER", Decimal: "NUMBER"}
_METAVARS = {**_NUMBERS, str: "TEXT", date: "YYYY-MM-DD", datetime: "TIME"}


def type_of(base: Any) -> click.ParamType[Any]:
    """The click type that reads one value of this type."""
    if get_origin(base) is Literal:
        return click.Choice([str(choice) for choice in get_args(base)])
    if isinstance(base, type) and issubclass(base, Enum):
        return click.Choice([str(member.value) for member in base])
    if isinstance(base, type) and is_dataclass(base):
        return Rows(base)
    return Plain(base) if base in _METAVARS else Json()


def plain(text: str, base: Any) -> Any:
    """Text as the number it represents; any other text stays text and is checked later."""
    if base in (int, float, bool):
        try:
            return msgspec.convert(text, base, strict=False)
        except msgspec.ValidationError:
            return text
    return text


class Plain(click.ParamType[Any]):
    """One text, number, day or time."""

    name = "text"

    def __init__(self, base: Any) -> None:
        self._base = base

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return _METAVARS[self._base]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return plain(value, self._base) if isinstance(value, str) else value


class Json(click.ParamType[Any]):
    """Any other value, as JSON."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return plain_json(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Rows(click.ParamType[Any]):
    """Rows such as `sku=A1,quantity=2`, or JSON objects; converts to a list of dicts."""

    name = "ROW"

    def __init__(self, cls: Any) -> None:
        self._cls = cls

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self.example

    @property
    def example(self) -> str:
        """What a row looks like, the parts in brackets being optional."""
        first = [f"{field.name}=…" for field in fields_of(self._cls) if field.needed]
        rest = [f"{field.name}=…" for field in fields_of(self._cls) if not field.needed]
        return ",".join(first) + "".join(f"[,{each}]" for each in rest)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return list(self._rows(value)) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(f"{error} A row is written {self.example}", param, ctx)

    def _rows(self, text: str) -> Iterator[Any]:
        if text.lstrip().startswith(("[", "{")):
            decoded = plain_json(text)
            yield from decoded if isinstance(decoded, list) else [decoded]
        else:
            yield dict(self._pair(part) for part in _split(text))

    def _pair(self, part: str) -> tuple[str, Any]:
        name, sign, text = part.partition("=")
        name = name.strip().replace("-", "_")
        kinds = {field.name: field.kind for field in fields_of(self._cls)}
        if not sign:
            raise ValueError(f"{part!r} has no “=”.")
        if name not in kinds:
            raise ValueError(f"There is no field {name!r}.")
        return name, plain(text, kinds[name])


def _split(text: str) -> list[str]:
    # A value that contains a comma is put in double quotes.
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace, lexer.quotes = ",", '"'
    lexer.escape = lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        raise ValueError('A double quote (") has no partner.') from None
