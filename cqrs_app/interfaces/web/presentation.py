"""How values look on a page: money, times, ages, shares and the geometry of the small charts.

Pure functions; nothing here knows a business word or reads a clock unless told to.
`register` hands them to the templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

from cqrs_app.standards.money import exact

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EM DASH}"


def amount(value: Decimal | int | None, currency: str = "") -> str:
    """`1234.5` as "1,234.50": with the digits of its currency (two without one), and more only
    where the value has them."""
    if value is None:
        return NONE
    plain = exact(Decimal(value), currency)
    return f"{MINUS if plain < 0 else ''}{abs(plain):,f}"


def money(value: Decimal | int | None, currency: str) -> str:
    """An amount with its ISO 4217 currency code: "GBP 1,234.50"."""
    return NONE if value is None else f"{currency}\N{NO-BREAK SPACE}{amount(value, currency)}"


def number(value: float | Decimal | None, decimals: int = 0) -> str:
    """A count or measure with thousands separators: "12,345"."""
    if value is None:
        return NONE
    text = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{text}" if value < 0 else text


def percent(share: float | None, decimals: int = 0) -> str:
    """A share between 0 and 1 as "93%"; nothing measured yet is a dash, not 0%."""
    return NONE if share is None else f"{share * 100:.{decimals}f}%"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`(3, "event")` as "3 events"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def age(seconds: float | None) -> str:
    """A duration in its two largest units: "4 s", "3 min 20 s", "5 h 12 min", "3 d 4 h"."""
    if seconds is None:
        return NONE
    left = max(0, int(seconds))
    if left < 60:
        return f"{left} s"
    for size, unit, smaller_size, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if left >= size:
            whole, rest = divmod(left, size)
            rest //= smaller_size
            return f"{whole} {unit} {rest} {smaller}" if rest and whole < 10 else f"{whole} {unit}"
    return f"{left} s"


def milliseconds(value: float | None) -> str:
    """A time in milliseconds: "0.42 ms", "12 ms", "1.3 s"."""
    if value is None:
        return NONE
    if value >= 1_000:
        return f"{value / 1_000:.1f} s"
    return (
        f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"
    )


def as_utc(value: datetime) -> datetime:
    """The moment in UTC; a naive datetime is taken to be UTC already."""
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def when(value: datetime | None, zone: ZoneInfo, today: date | None = None) -> str:
    """The moment on the operator's clock, no longer than needed: "12:03:04" today,
    "20 Nov 12:03" this year, "20 Nov 2025 12:03" before."""
    if value is None:
        return NONE
    local = as_utc(value).astimezone(zone)
    today = today or datetime.now(zone).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    if local.year == today.year:
        return f"{local.day} {local:%b %H:%M}"
    return f"{local.day} {local:%b %Y %H:%M}"


def utc_text(value: datetime | None) -> str:
    """The exact moment for a title: "2026-11-20 12:03:04 UTC"."""
    return (
        NONE
        if value is None
        else f"{as_utc(value).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"
    )


def utc_attribute(value: datetime | None) -> str:
    """The moment for `<time datetime>`: "2026-11-20T12:03:04.120000Z"."""
    return "" if value is None else as_utc(value).isoformat().replace("+00:00", "Z")


def seconds_since(value: datetime | None, now: datetime | None = None) -> float | None:
    """Seconds from `value` to `now`, never negative."""
    if value is None:
        return None
    return max(0.0, (as_utc(now or datetime.now(UTC)) - as_utc(value)).total_seconds())


def change(today: Decimal | float, yesterday: Decimal | float) -> str:
    """Today's figure against yesterday's: "+12%", "-8%", "same"; "new" when there was nothing."""
    if today == yesterday:
        return "same"
    if not yesterday:
        return "new"
    share = float((today - yesterday) / yesterday) * 100  # type: ignore[operator]
    return f"{'+' if share > 0 else MINUS}{abs(share):.0f}%"


def short_id(value: str) -> str:
    """The tail of a long identifier, for a column; its head is mostly a timestamp."""
    text = str(value)
    return text if len(text) <= 12 else f"\N{HORIZONTAL ELLIPSIS}{text[-8:]}"


def event_words(name: str) -> str:
    """An event's name as words: "OrderApproved" as "Order approved"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def pretty_json(value: Any) -> str:
    """A payload as indented JSON, keys in their own order, non-ASCII text readable."""
    if isinstance(value, bytes | str):
        try:
            value = json.loads(value)
        except ValueError:
            return value if isinstance(value, str) else value.decode(errors="replace")
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in a chart's own units, and the value it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The geometry of a bar chart: `width` x `height` units, `top` is the value at full height."""

    width: float
    height: float
    top: float
    bars: tuple[Bar, ...]


def bars(
    values: Sequence[float | Decimal], width: float = 600, height: float = 120, gap: float = 0.28
) -> Chart:
    """Bars for `values` in a box of `width` x `height`, `gap` the empty share of each slot.

    The scale ends at a round number above the largest value, so that a reader can name it. Values
    above zero never vanish: the shortest bar is 1 unit high.
    """
    numbers = [max(0.0, float(value)) for value in values]
    top = round_up(max(numbers, default=0))
    slot = width / max(1, len(numbers))
    drawn = []
    for index, value in enumerate(numbers):
        tall = max(1.0, value / top * height) if value else 0.0
        drawn.append(
            Bar(
                x=round(index * slot + slot * gap / 2, 2),
                y=round(height - tall, 2),
                width=round(slot * (1 - gap), 2),
                height=round(tall, 2),
                value=value,
            )
        )
    return Chart(width, height, top, tuple(drawn))


def round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 or 10 times a power of ten at or above `value`; at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)


def ticked(text: str) -> Markup:
    """A docstring's text: what stands in `backticks` is set as code."""
    escaped = str(escape(text))
    return Markup(re.sub(r"`([^`]+)`", r'<span class="mono">\1</span>', escaped))  # noqa: S704


def register(app: Flask, zone: ZoneInfo | str) -> None:
    """Make every function here available to `app`'s templates; times are shown in `zone`."""
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    app.jinja_env.globals.update(
        amount=amount,
        money_text=money,
        number=number,
        percent=percent,
        plural=plural,
        age=age,
        milliseconds=milliseconds,
        when_text=partial(when, zone=zone),
        utc_text=utc_text,
        utc_attribute=utc_attribute,
        seconds_since=seconds_since,
        change=change,
        short_id=short_id,
        pretty_json=pretty_json,
        bars=bars,
        zone_name=str(zone),
    )
    app.jinja_env.filters.update(
        amount=amount,
        number=number,
        percent=percent,
        age=age,
        milliseconds=milliseconds,
        short_id=short_id,
        pretty_json=pretty_json,
        event_words=event_words,
        ticked=ticked,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
