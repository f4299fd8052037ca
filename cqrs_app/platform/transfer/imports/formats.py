"""How numbers and times are written in a file: detected from its values, or given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import StrEnum

from cqrs_app.kernel.messages.decimals import decimal_problem, is_readable

MOST_DIGITS = 20
"""Of a whole number: more than a quantity has. Python reads no more than 4,300."""
_PAYABLE = {"ge": Decimal(-(10**12)), "le": Decimal(10**12), "places": 12}


class DecimalSign(StrEnum):
    """What separates the whole part of a number from its decimals."""

    POINT = "point"
    COMMA = "comma"


class Dates(StrEnum):
    """The order of day, month and year."""

    ISO = "iso"
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


SHAPES = {
    Dates.ISO: "2026-03-31 09:30:00",
    Dates.DAY_FIRST: "31/03/2026 09:30",
    Dates.MONTH_FIRST: "03/31/2026 09:30",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a file is written. What is None is detected from the file, or does not occur in it."""

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    decimal: DecimalSign | None = None
    dates: Dates | None = None

    def as_json(self) -> dict[str, str]:
        """What is known of it."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: str(value) for name, value in known.items() if value is not None}


DETECTED = Format()

_SPACES = re.compile("[\\s'\N{RIGHT SINGLE QUOTATION MARK}]")
_CURRENCY = re.compile(r"^(?:[A-Z]{3}|[^\w\s+\-.,%(])|(?<=\d)(?:[A-Z]{3}|[^\w\s+\-.,%)])$")
"""A code or a symbol beside an amount."""
_NUMBER = {
    sign: re.compile(rf"[+-]?(?:\d+|\d{{1,3}}(?:{thousands}\d{{3}})+)(?:{point}\d+)?")
    for sign, thousands, point in ((DecimalSign.POINT, ",", r"\."), (DecimalSign.COMMA, r"\.", ","))
}
_DATE = re.compile(
    r"(?P<a>\d{1,2})(?P<sign>[./-])(?P<b>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2})?)\s*(?P<half>[AaPp][Mm])?)?"
)
_IN_WORDS = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} ")
_OFFSET = re.compile(r"(?<=\d)\s+(?=[+-]\d{2}:?\d{2}$)")


def plain_number(text: str, sign: DecimalSign) -> str:
    """The number without separators of thousands, with a decimal point; empty if it is written in
    another way."""
    packed = _packed(text)
    if not _NUMBER[sign].fullmatch(packed):
        # Python reads more than files of shops have, but no comma.
        return text.strip() if sign is DecimalSign.POINT else ""
    if sign is DecimalSign.COMMA:
        return packed.replace(".", "").replace(",", ".")
    return packed.replace(",", "")


def _packed(text: str) -> str:
    return _CURRENCY.sub("", _SPACES.sub("", text))


def whole(text: str, sign: DecimalSign = DecimalSign.POINT) -> int:
    """Raises ValueError, with a sentence."""
    plain = plain_number(text, sign)
    if not plain.removeprefix("-").isdecimal() or len(plain) > MOST_DIGITS:
        raise ValueError("This is not a whole number.")
    return int(plain)


def exact(text: str, sign: DecimalSign = DecimalSign.POINT) -> Decimal:
    """Raises ValueError, with a sentence, also for an amount out of any reasonable range."""
    plain = plain_number(text, sign)
    if not is_readable(plain) or decimal_problem(number := Decimal(plain), _PAYABLE):
        raise ValueError("This is not an amount.")
    return number


def iso_time(text: str, dates: Dates) -> str:
    """The time as ISO 8601, if it has the expected shape or is written as in e-mails (RFC 5322);
    otherwise as it is. Raises ValueError."""
    if _IN_WORDS.match(text):
        return parsedate_to_datetime(text).isoformat()
    if dates is Dates.ISO:
        return _OFFSET.sub("", text)
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    day, month = (found["a"], found["b"]) if dates is Dates.DAY_FIRST else (found["b"], found["a"])
    year = found["year"] if len(found["year"]) > 2 else f"20{found['year']}"
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "pm")
    return f"{year}-{int(month):02}-{int(day):02}T{hour:02}:{found['rest'] or '00'}"


class Evidence:
    """Counts the values that speak for each of several ways, until one is the only likely one."""

    def __init__(self, votes: Callable[[str], Iterable[str]]) -> None:
        self._votes = votes
        self._counts: dict[str, int] = {}
        self.unclear = ""
        """A value that may be read in more than one way, if there is any."""

    def add(self, text: str) -> None:
        voted = tuple(self._votes(text))
        if len(voted) > 1:
            self.unclear = self.unclear or text
        for each in voted if len(voted) == 1 else ():
            self._counts[each] = self._counts.get(each, 0) + 1

    @property
    def winner(self) -> str | None:
        """The way that most values speak for; None if none does."""
        return max(self._counts, key=self._counts.__getitem__, default=None)


def decimal_votes(text: str) -> tuple[str, ...]:
    """The signs with which this number with a sign can be read; none if either reads the same."""
    packed = _packed(text)
    if "." not in packed and "," not in packed:
        return ()
    readable = tuple(str(sign) for sign, shape in _NUMBER.items() if shape.fullmatch(packed))
    # 1.234 is far more often a price of three decimals than a thousand in a file with commas.
    return (str(DecimalSign.POINT),) if len(readable) > 1 and "." in packed else readable


def date_votes(text: str) -> tuple[str, ...]:
    """The orders in which this date can be read."""
    found = _DATE.fullmatch(text)
    if found is None:
        return (str(Dates.ISO),) if text[:4].isdecimal() else ()
    first, second = int(found["a"]), int(found["b"])
    if found["sign"] == "." or first > 12:
        return (str(Dates.DAY_FIRST),)
    if second > 12:
        return (str(Dates.MONTH_FIRST),)
    return (str(Dates.DAY_FIRST), str(Dates.MONTH_FIRST))
