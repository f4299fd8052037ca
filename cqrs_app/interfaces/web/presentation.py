"""How values look on a page in any locale: ages, exact times, event names.

Pure functions; nothing here knows a business word or reads a clock unless told to.
`register` hands them to the templates.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from cqrs_app.interfaces.web.charts import spark_path
from cqrs_app.interfaces.web.formats import NONE, Formats, as_utc
from cqrs_app.interfaces.web.zones import days_note, moment_to_type, shown_zone


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
    """The moment for `<time datetime>`: "2026-11-20T12:03:04Z"."""
    if value is None:
        return ""
    return as_utc(value).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_since(value: datetime | None, now: datetime | None = None) -> float | None:
    """Seconds from `value` to `now`, never negative."""
    if value is None:
        return None
    return max(0.0, (as_utc(now or datetime.now(UTC)) - as_utc(value)).total_seconds())


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
        moment_to_type=moment_to_type,
        days_note=days_note,
        milliseconds=formats.milliseconds,
        utc_text=utc_text,
        utc_attribute=utc_attribute,
        seconds_since=seconds_since,
        short_id=short_id,
        pretty_json=pretty_json,
        spark_path=spark_path,
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
