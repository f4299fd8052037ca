"""The normal form of values: one text for what reads the same, one notation per number.

Every value of a command or a query is normalized before its limits are checked, whichever interface
it came through. Events are decoded as they were stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin

from cqrs_app.kernel.messages.decimals import is_readable, limits_of, plain_decimal, unreadable
from cqrs_app.kernel.messages.fields import annotation_of, hints_of, plain_type
from cqrs_app.kernel.messages.patterns import INVISIBLE
from cqrs_app.kernel.messages.sentences import NO_SUCH_FIELD

Problems = dict[str, str]
Normaliser = Callable[[Any, str, Problems], Any]
"""Takes a value, its path and the problems so far. Returns the normalized value, or adds a problem
and returns the value unchanged."""

_BLANK = re.compile(rf"[\s{INVISIBLE}]*")


@dataclass(frozen=True, slots=True)
class NormalForm:
    """Annotates a text with a format, such as an e-mail address: `of` returns the normalized text,
    or raises ValueError with a sentence. With `trims` off, whitespace at both ends is part of the
    text."""

    of: Callable[[str], str] = str
    trims: bool = True


def normal(found: Any, hint: Any, place: str, problems: Problems) -> Any:
    """Normalize a value. Adds to `problems`: path, such as `lines.0.sku`, -> sentence."""
    normalise = _normaliser(hint)
    return normalise(found, place, problems) if normalise else found


def plain_text(text: str) -> str:
    """Normalize to Unicode NFC and strip whitespace at both ends. A text that shows nothing at all
    is empty."""
    if text.isascii():
        return text.strip()
    return "" if _BLANK.fullmatch(text) else unicodedata.normalize("NFC", text).strip()


@cache
def _normaliser(hint: Any) -> Normaliser | None:
    kind = plain_type(hint)
    if kind is str:
        return _of_text(annotation_of(NormalForm, hint))
    if kind is Decimal:
        return _of_decimal(limits_of(hint))
    if get_origin(kind) is tuple:
        return _of_items(_normaliser(get_args(kind)[0]))
    if isinstance(kind, type) and is_dataclass(kind):
        return _of_fields({name: _normaliser(each) for name, each in hints_of(kind).items()})
    return None


def _of_text(form: NormalForm | None) -> Normaliser:
    def normalise(found: Any, place: str, problems: Problems) -> Any:
        if type(found) is not str:
            return found
        trims = form is None or form.trims
        text = plain_text(found) if trims else unicodedata.normalize("NFC", found)
        try:
            return form.of(text) if form and text else text
        except ValueError as error:
            problems[place] = str(error)
            return text

    return normalise


def _of_decimal(limits: Mapping[str, Any]) -> Normaliser:
    def normalise(found: Any, place: str, problems: Problems) -> Any:
        if isinstance(found, str) and found and not is_readable(found):
            problems[place] = unreadable(found)
        if type(found) is int:
            found = Decimal(found)
        return plain_decimal(found, limits) if isinstance(found, Decimal) else found

    return normalise


def _of_items(item: Normaliser | None) -> Normaliser | None:
    if item is None:
        return None

    def normalise(found: Any, place: str, problems: Problems) -> Any:
        if not isinstance(found, list | tuple):
            return found
        made = (item(each, f"{place}.{index}", problems) for index, each in enumerate(found))
        return tuple(made)

    return normalise


def _of_fields(parts: Mapping[str, Normaliser | None]) -> Normaliser:
    def normalise(found: Any, place: str, problems: Problems) -> Any:
        if isinstance(found, Mapping):
            # A decoder would silently ignore unknown fields.
            unknown = (name for name in found if name not in parts)
            problems |= {f"{place}.{name}": NO_SUCH_FIELD for name in unknown}
            return {
                name: part(value, f"{place}.{name}", problems)
                if (part := parts.get(name))
                else value
                for name, value in found.items()
            }
        if not is_dataclass(found) or isinstance(found, type):
            return found
        before = {name: getattr(found, name) for name in parts}
        after = {
            name: part(before[name], f"{place}.{name}", problems)
            for name, part in parts.items()
            if part
        }
        changed = {name: each for name, each in after.items() if each is not before[name]}
        return replace(found, **changed) if changed else found

    return normalise
