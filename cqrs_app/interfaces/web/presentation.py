"""Values on pages in any locale: ages, changes and the geometry of the small charts. Pure functions
without business words and without a clock. `register` adds them to the templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from cqrs_app.interfaces.web.formats import MINUS, NONE, Formats, as_utc
from cqrs_app.interfaces.web.zones import days_note, shown_zone


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
    """A docstring's text, with what is in `backticks` set as code."""
    escaped = str(escape(text))
    return Markup(re.sub(r"`([^`]+)`", r'<span class="mono">\1</span>', escaped))  # noqa: S704


def register(app: Flask, formats: Formats) -> None:
    """Make every function here available to `app`'s templates, and `formats`."""
    app.jinja_env.globals.update(
        amount=formats.amount,
        exact=formats.exact,
        money_text=formats.money,
        number=formats.number,
        percent=formats.percent,
        plural=formats.plural,
        day_text=formats.day,
        age=age,
        shown_zone=shown_zone,
        days_note=days_note,
        milliseconds=formats.milliseconds,
        utc_text=utc_text,
        utc_attribute=utc_attribute,
        seconds_since=seconds_since,
        change=change,
        short_id=short_id,
        pretty_json=pretty_json,
        bars=bars,
    )
    app.jinja_env.filters.update(
        amount=formats.amount,
        amount_in=formats.amount_in,
        decimal=formats.decimal,
        number=formats.number,
        percent=formats.percent,
        age=age,
        milliseconds=formats.milliseconds,
        short_id=short_id,
        pretty_json=pretty_json,
        event_words=event_words,
        ticked=ticked,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
