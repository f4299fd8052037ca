"""Formats values as cells of a CSV file that is safe to open in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any

import msgspec

# Characters that start a formula, including forms that some spreadsheets normalize: small, full
# width, the minus sign.
_STARTS = "=+\\-@\ufe66\uff1d\ufe62\uff0b\ufe63\uff0d\u2212\ufe6b\uff20"
# Whitespace and invisible characters, which spreadsheets skip before a formula.
_BLANKS = (
    " \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0"
    "\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
)
_FORMULA = re.compile(
    rf"^(?=[{_BLANKS}\t\r\n]*[{_STARTS}])|^(?=[\t\r\n])"
    # In locales with a semicolon as separator, a text may be split into several cells, and a line
    # break in it may begin a row.
    rf"|(?<=[;\t\r\n])(?=[{_BLANKS}]*[{_STARTS}])"
)
# The same for files that are read again: a text that has such an apostrophe already gets another.
_GUARDED = rf"(?=[{_BLANKS}\t\r\n']*[{_STARTS}]|'*[\t\r\n])"
_GUARDED_INSIDE = rf"(?<=[;\t\r\n]){{}}(?=[{_BLANKS}']*[{_STARTS}])"
_GUARD = re.compile(rf"\A{_GUARDED}|{_GUARDED_INSIDE.format('')}")
_UNGUARD = re.compile(rf"\A'{_GUARDED}|{_GUARDED_INSIDE.format(chr(39))}")
_SEPARATOR = re.compile(r"[;\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?")


def harmless(text: str, *, numbers: bool = False) -> str:
    """The text with an apostrophe before everything that a spreadsheet could take as a formula.

    With `numbers`, a text that is a plain number, such as "-10", is not changed.
    """
    if not text or (text[0].isalnum() and not _SEPARATOR.search(text)):
        return text  # nearly every cell, and many times faster than the pattern
    if numbers and _NUMBER.fullmatch(text):
        return text
    return _FORMULA.sub("'", text)


def guarded(text: str) -> str:
    """The text without formulas, as `unguarded` reads it again."""
    if not text or (text[0].isalnum() and not _SEPARATOR.search(text)):
        return text
    return _GUARD.sub("'", text)


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return _UNGUARD.sub("", text) if "'" in text else text


def cell(value: Any) -> str:
    """Format one value. Numbers stay numbers, money is exact, times are ISO 8601 in UTC, None is an
    empty cell, and composite values are JSON."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, Enum):
        return cell(value.value)
    return harmless(msgspec.json.encode(value).decode())


def cell_for_excel(value: Any, sign: str) -> str:
    """Format one value for a spreadsheet with this decimal sign."""
    match value:
        case bool() | int():
            return cell(value)
        case Decimal() | float():
            return cell(value).replace(".", sign)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return cell(value)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_WRITERS: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        str: harmless,
        NoneType: lambda value: "",
        bool: lambda value: "true" if value else "false",
        int: str,
        float: str,
        Decimal: lambda value: format(value, "f"),
        datetime: _moment,
        date: date.isoformat,
    }
)
