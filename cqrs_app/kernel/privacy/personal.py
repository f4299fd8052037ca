"""Personal data in messages: which fields hold it, and the format of sealed values.

A field is marked `Annotated[str, PERSONAL]`; in a list or a value with fields, every text within is
personal. It belongs to the person that the message names (`concerns`), or else to its own stream.
Stores hold each such text as a token, sealed with that person's key. An empty text reveals nothing
and stays empty.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from cqrs_app.kernel.messages.fields import hints_of

ERASED = "erased"
"""What a value reads as once its key is destroyed."""
HIDDEN = "hidden"
"""What a value reads as for whoever may not see personal data."""

MASK = "[personal]"

_SHORTEST_REDACTED = 3
"""Shorter texts are not removed from exception messages: they occur by chance."""

_ROW_VALUES = re.compile("^DETAIL: .*$", re.MULTILINE)

_MARK = "~personal.1."
TOKEN = re.compile(r"~personal\.1\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]+)~")
"""A sealed value: the id of its key, then the ciphertext."""


def token(key_id: str, ciphertext: str) -> str:
    """Format a sealed value: see TOKEN."""
    return f"~personal.1.{key_id}.{ciphertext}~"


class Personal:
    """Marks a field that holds personal data."""

    def __repr__(self) -> str:
        return "PERSONAL"


PERSONAL = Personal()


def erased(text: str) -> str:
    """What a read model stores in place of a value: the same text that a replay would read."""
    return ERASED if text else ""


def concealed(text: str) -> str:
    """A stored JSON text, in which each sealed value reads HIDDEN."""
    return TOKEN.sub(HIDDEN, text)


def personal_fields(cls: Any) -> tuple[str, ...]:
    """The names of the marked fields of a message."""
    return _personal_fields(cls)


@cache
def _personal_fields(cls: Any) -> tuple[str, ...]:
    return tuple(name for name, hint in hints_of(cls).items() if _is_marked(hint))


def personal_texts(message: Any) -> Iterator[str]:
    """The personal texts of a message that are not empty."""
    for name in personal_fields(type(message)):
        yield from texts_in(msgspec.to_builtins(getattr(message, name)))


def written(message: Any, seal: Callable[[str], str]) -> str:
    """The message as JSON, each personal text sealed."""
    fields = personal_fields(type(message))
    if not fields:
        return msgspec.json.encode(message).decode()
    content = msgspec.to_builtins(message)
    for name in fields:
        content[name] = _sealed(content[name], seal)
    return msgspec.json.encode(content).decode()


def key_ids(texts: Iterable[str]) -> set[str]:
    """The ids of the keys that these texts' sealed values need."""
    # Most texts hold none, and a plain search is many times faster.
    return {found[1] for text in texts if _MARK in text for found in TOKEN.finditer(text)}


def redacted(text: str, message: Any | None) -> str:
    """The text of an exception without the message's personal texts and without the row values that
    a database adds."""
    text = _ROW_VALUES.sub("DETAIL: [left out]", text)
    return without_texts(text, personal_texts(message) if message is not None else ())


def without_texts(text: str, values: Iterable[str]) -> str:
    """The text with MASK in the place of each of these."""
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_REDACTED:
            text = text.replace(value, MASK)
    return text


def _is_marked(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return any(isinstance(mark, Personal) for mark in marks) or _is_marked(inner)
    if get_origin(hint) in (Union, types.UnionType):
        return any(_is_marked(part) for part in get_args(hint))
    return False


def _sealed(content: Any, seal: Callable[[str], str]) -> Any:
    match content:
        case None | "":
            return content
        case str():
            return seal(content)
        case dict():
            return {name: _sealed(each, seal) for name, each in content.items()}
        case list() | tuple():
            return [_sealed(each, seal) for each in content]
    # Raised before anything is stored: a personal number must not be stored unsealed.
    raise TypeError(f"only texts can be personal, not {type(content).__name__}")


def texts_in(content: Any) -> Iterator[str]:
    """The texts in a value as JSON has it that are not empty."""
    match content:
        case str():
            yield from [content] if content else []
        case dict():
            for each in content.values():
                yield from texts_in(each)
        case list() | tuple():
            for each in content:
                yield from texts_in(each)
