"""Numbers, amounts, days and countries in one locale: written on pages, read in forms. Everything
here is for people. Programs get ISO 8601, ISO 4217 and a decimal point, whatever the locale.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from cqrs_app.kernel import fold
from cqrs_app.standards.countries import codes_by_name
from cqrs_app.standards.currencies import PLACES
from cqrs_app.standards.money import charged, exact

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EM DASH}"
THOUSANDS = (3, 3)
"""How most locales group digits; in others, such as hi, groups are of several sizes."""
DAYS_KEPT = 2_048

_MOMENT = re.compile(r"\b([0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} at [0-9]{2}:[0-9]{2}) UTC\b")
"""How sentences have a moment: see `moment` in areas/orders/rules.py."""
_AMOUNT = re.compile(r"\b([A-Z]{3}) (-?[0-9]{1,20}(?:\.[0-9]{1,10})?)\b")


class TooManyDigits(ValueError):
    """A number has more digits than any amount."""


class Formats:
    """Of one locale of the Unicode CLDR, such as de_DE."""

    def __init__(self, locale: str) -> None:
        self._locale = Locale.parse(locale.replace("-", "_"))
        symbols = self._locale.number_symbols["latn"]
        self._group, self._point = symbols["group"], symbols["decimal"]
        self._signs = str.maketrans({",": self._group, ".": self._point})
        self._by_thousands = self._locale.decimal_formats[None].grouping == THOUSANDS
        group, point = re.escape(self._group), re.escape(self._point)
        groups = rf"[0-9]{{1,3}}(?:{group}[0-9]{{{'3' if self._by_thousands else '2,3'}}}){{1,6}}"
        self._readable = re.compile(
            rf"([+-]?)(?=[0-9]|{point}[0-9])({groups}|[0-9]{{0,18}})(?:{point}([0-9]{{0,12}}))?"
        )
        self._digits = re.compile(rf"[+-]?[0-9]+(?:{point}[0-9]*)?")
        self.day = lru_cache(DAYS_KEPT)(self._day)

    def amount(self, value: Decimal | int | None, currency: str) -> str:
        """`1234.5` as "1,234.50": what is paid for it, rounded to the digits of its currency."""
        return NONE if value is None else self._written(charged(Decimal(value), currency))

    def exact(self, value: Decimal | int, currency: str) -> str:
        """The same with every digit that the value has, such as a unit price."""
        return self._written(exact(Decimal(value), currency))

    def money(self, value: Decimal | int | None, currency: str) -> str:
        """An amount with its ISO 4217 currency code: "GBP 1,234.50"."""
        if value is None:
            return NONE
        return f"{currency}\N{NO-BREAK SPACE}{self.amount(value, currency)}"

    def amount_in(self, text: str) -> str:
        """A text that is an amount as programs write it, such as "GBP 1234.50"; any other as it
        is."""
        found = _AMOUNT.fullmatch(text)
        return self.money(Decimal(found[2]), found[1]) if found and found[1] in PLACES else text

    def decimal(self, text: str) -> str:
        """A decimal as programs write it, such as "1234.500", with all its digits."""
        return self._written(Decimal(text))

    def number(self, value: float | Decimal | None, decimals: int = 0) -> str:
        """A count or measure: "12,345"."""
        return NONE if value is None else self._written(value, f".{decimals}")

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share between 0 and 1 as "93%"; a dash if nothing was measured yet."""
        if share is None:
            return NONE
        rounded = Decimal(f"{share:.{decimals + 2}f}")
        pattern = self._locale.percent_formats[None].pattern
        digits = pattern.replace("#,##0", f"#,##0.{'0' * decimals}") if decimals else pattern
        return format_percent(rounded, format=digits, locale=self._locale)

    def plural(self, count: int, one: str, many: str | None = None) -> str:
        """`(3, "event")` as "3 events"."""
        return f"{self.number(count)} {one if count == 1 else many or one + 's'}"

    def milliseconds(self, value: float | None) -> str:
        """A time in milliseconds: "0.42 ms", "12 ms", "1.3 s"."""
        if value is None:
            return NONE
        if value < 0.005:
            return "0 ms"
        if value >= 1_000:
            return f"{self.number(value / 1_000, 1)} s"
        return f"{self.number(value, 2 if value < 1 else 1 if value < 10 else 0)} ms"

    def when(self, value: datetime | None, zone: ZoneInfo, today: date | None = None) -> str:
        """The moment on the clock of this zone, no longer than needed: "12:03:04" today,
        "20 Nov 12:03" this year, "20 Nov 2025 12:03" before."""
        if value is None:
            return NONE
        local = as_utc(value).astimezone(zone)
        today = today or datetime.now(zone).date()
        time = local.time()
        if local.date() == today:
            return format_time(time, "medium", locale=self._locale)
        day = self.day(local.date(), "MMMd" if local.year == today.year else "yMMMd")
        return f"{day} {format_time(time, 'short', locale=self._locale)}"

    def sentence(self, text: str, zone: ZoneInfo) -> str:
        """A sentence that programs get too, with its amounts ("EUR 119.55") written for this locale
        and its moments ("1 Dec 2010 at 12:03 UTC") in this time zone.
        """
        text = _MOMENT.sub(lambda found: self._moment(found[1], zone), text)
        return _AMOUNT.sub(lambda found: self.amount_in(found[0]), text)

    def _moment(self, text: str, zone: ZoneInfo) -> str:
        at = datetime.strptime(text, "%d %b %Y at %H:%M").replace(tzinfo=UTC)
        return self.when(at, zone, date.min)

    def _day(self, value: date, parts: str = "yMMMd") -> str:
        """A day with these parts, as the CLDR names them: MMMd is "20 Nov", yMMMEd "Thu, 20 Nov
        2025"."""
        return format_skeleton(parts, value, locale=self._locale)

    def country(self, name: str) -> str:
        """A country's name in this language; any other text unchanged."""
        here: str = self._locale.territories.get(codes_by_name().get(name, ""), name)
        return here

    def country_names(self) -> tuple[str, ...]:
        """All of them, in alphabetical order."""
        return _names_here(self._locale)

    def currency_names(self) -> tuple[tuple[str, str], ...]:
        """Every currency: its code, and its name in this language."""
        return tuple((code, self._locale.currencies.get(code, code)) for code in sorted(PLACES))

    @property
    def language_tag(self) -> str:
        """This locale as browsers name it, such as de-DE."""
        return str(self._locale).replace("_", "-")

    def stored_country(self, text: str) -> str:
        """The stored name of a country written in this language; other texts unchanged, since
        English names, codes and short forms are understood everywhere.
        """
        return _stored_names(self._locale).get(text.strip().casefold(), text)

    def read(self, text: str) -> Decimal:
        """A number as people write it in this locale, with or without group separators. Raises
        ValueError for anything else, also for "12.50" where a comma is the decimal separator, and
        TooManyDigits, a subclass.
        """
        typed = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        if self._group.isspace():
            typed = re.sub(r"\s", self._group, typed)
        found = self._readable.fullmatch(typed)
        if not found:
            kind = TooManyDigits if self._digits.fullmatch(typed) else ValueError
            raise kind(f"no number: {text[:40]!r}")
        sign, whole, digits = found.groups("")
        plain = f"{sign}{whole.replace(self._group, '') or 0}"
        return Decimal(f"{plain}.{digits}" if digits else plain)

    def typed(self, value: Decimal) -> str:
        """A number as shown in a form: without group separators."""
        return format(value, "f").replace(".", self._point)

    def _written(self, value: float | Decimal, decimals: str = "") -> str:
        plain = f"{abs(value):,{decimals}f}"
        if self._by_thousands:
            text = plain.translate(self._signs)
        else:
            whole, point, digits = plain.replace(",", "").partition(".")
            text = format_decimal(int(whole), locale=self._locale)
            text += point.replace(".", self._point) + digits
        return f"{MINUS}{text}" if value < 0 else text


@cache
def formats_of(locale: str) -> Formats:
    """Built once: the CLDR's tables are large."""
    return Formats(locale)


@cache
def _names_here(locale: Locale) -> tuple[str, ...]:
    territories = locale.territories
    names = (territories.get(code, name) for name, code in codes_by_name().items())
    return tuple(sorted(names, key=fold))


@cache
def _stored_names(locale: Locale) -> dict[str, str]:
    territories = locale.territories
    return {
        territories[code].casefold(): name
        for name, code in codes_by_name().items()
        if code in territories
    }


def as_utc(value: datetime) -> datetime:
    """The moment in UTC; a naive datetime is taken to be UTC already."""
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
