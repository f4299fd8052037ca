"""Statistics as charts: several small ones for a page, and one statistic in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.charts import Chart, Series, Slot, line_chart
from cqrs_app.interfaces.web.formats import Formats, formats_of
from cqrs_app.interfaces.web.zones import shown_zone, typed_moment
from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.runtime.query_log import ListQueries
from cqrs_app.platform.runtime.statistics.catalogue import STATISTICS, Statistic
from cqrs_app.platform.runtime.statistics.history import Mark, StatisticLine
from cqrs_app.platform.runtime.statistics.queries import (
    SPANS,
    History,
    ListStatistics,
    Span,
    StatisticHistory,
)
from cqrs_app.services import kernel, services

DRAWN = 4
"""Lines of one chart; the table has the others."""
NAMES: tuple[Span, ...] = get_args(Span)
SWITCH: tuple[Span, ...] = ("hour", "day", "week", "month", "year")


def _short(formats: Formats, value: float) -> str:
    return formats.number(value, 0 if value >= 100 or value == int(value) else 1)


WORDS: Mapping[str, Callable[[Formats, float], str]] = {
    "per minute": lambda formats, value: f"{_short(formats, value)}/min",
    "per second": lambda formats, value: f"{_short(formats, value)}/s",
    "share": lambda formats, value: formats.percent(value, 1),
    "ms": lambda formats, value: formats.milliseconds(value),
    "ms per minute": lambda formats, value: f"{formats.milliseconds(value)}/min",
    "seconds": lambda formats, value: f"{_short(formats, value)} s",
    "bytes": lambda formats, value: f"{formats.number(value / 1024**2, 1)} MiB",
    "events": lambda formats, value: formats.number(value),
    "count": _short,
}
PROBLEM_WORDS: Mapping[str, str] = {
    "write_store_down": "Write store down",
    "read_store_down": "Read store down",
    "redis_down": "Redis down",
    "no_processes": "No worker, no sweep",
    "no_worker": "No worker",
    "no_sweep": "No sweep",
    "stopped": "Subscription stopped",
    "paused": "Subscription paused",
    "behind": "Subscription behind",
    "parked": "Events parked",
    "drift": "Read model differs",
    "failed_actions": "Failed actions",
    "queued_actions": "Queued actions wait",
    "crashed_jobs": "Jobs crashed",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A statistic as a chart. `lines` are those of the table, with their last and highest value;
    `url` leads to its own page."""

    statistic: Statistic
    chart: Chart
    now: str
    highest: str
    url: str
    lines: Sequence[tuple[str, str, str]] = ()


def given_span(default: Span = "hour") -> Span:
    """The span of the address; the default for any other text."""
    return next((name for name in NAMES if name == request.args.get("last")), default)


def text_of(unit: str, value: float | None) -> str:
    formats = formats_of(services.settings.locale)
    return formats.number(None) if value is None else WORDS[unit](formats, value)


def charts(names: Iterable[str], last: Span) -> list[Shown]:
    """Each of these statistics as a whole."""
    names = tuple(names)
    histories = ask(StatisticHistory(statistics=names, last=last)).value if names else ()
    axis = _axis(histories[0]) if histories else ()
    return [
        _shown(STATISTICS[name], history, last, axis)
        for name, history in zip(names, histories, strict=True)
    ]


def sparks(name: str, last: Span = "hour") -> dict[str, tuple[float | None, ...]]:
    """The values of a statistic by its label, for sparklines."""
    (history,) = ask(StatisticHistory(statistics=(name,), last=last, split=True, lines=200)).value
    return {line.label: line.values for line in history.lines}


@bp.get("/system/statistics")
def statistics() -> ResponseReturnValue:
    """Every statistic with its value now, and one of them as a chart."""
    answer = ask(ListStatistics())
    name = request.args.get("name", "")
    if name and name not in STATISTICS:
        abort(404, "There is no such statistic.")
    groups: dict[str, list[Any]] = {}
    for each in answer.value:
        groups.setdefault(each.group, []).append((each, text_of(each.unit, each.value)))
    return render_template(
        "system/statistics.html",
        answer=answer,
        groups=groups,
        labels=message_labels(),
        logged=() if name else ask(ListQueries()).value,
        **(_one(STATISTICS[name]) if name else {"shown": None}),
    )


def message_labels() -> dict[str, str]:
    """Names of commands and queries as people know them."""
    messages = {**kernel.registry.commands, **kernel.registry.queries}
    return {name: cls.declaration.label for name, cls in messages.items()}


def _one(statistic: Statistic) -> dict[str, Any]:
    last, until = given_span(), _until()
    only = request.args.get("only", "")[:400]
    divided = bool(statistic.by) and not only
    question = StatisticHistory(
        statistics=(statistic.name,), last=last, until=until, only=only, split=divided, lines=50
    )
    whole = StatisticHistory(statistics=(statistic.name,), last=last, until=until, only=only)
    (history,), (total,) = ask(question).value, ask(whole).value
    span, end = SPANS[last], until or datetime.now(UTC)
    link = partial(url_for, "web.statistics", name=statistic.name, only=only or None)
    return {
        "shown": _shown(statistic, history, last, _axis(total), only),
        "total": _shown(statistic, total, last, _axis(total), only),
        "last": last,
        "only": only,
        "until": until,
        "spans": {name: link(last=name) for name in SWITCH},
        "earlier_url": link(last=last, until=_text(end - span)),
        "later_url": link(last=last, until=_text(min(end + span, datetime.now(UTC))))
        if until
        else "",
        "now_url": link(last=last) if until else "",
        "rows_url": rows_behind(statistic, only, total.start, total.end),
        "only_url": partial(link, last=last, until=_text(until) if until else None),
    }


def _until() -> datetime | None:
    """In the zone in which the chart is shown, unless the address names another."""
    text = request.args.get("until", "").strip()
    if not text:
        return None
    try:
        moment = typed_moment(text)
    except ValueError as error:
        raise Invalid("The address of this chart", {"until": str(error)}) from None
    if not 2000 <= moment.year <= 9000:
        raise Invalid("The address of this chart", {"until": "Enter a year from 2000 to 9000."})
    return moment


def rows_behind(statistic: Statistic, only: str, start: datetime, end: datetime) -> str:
    """The address of the rows that a statistic counts; empty where it counts no rows."""
    if statistic.metric != "commands":
        return ""
    outcome = next(iter(statistic.where.get("outcome", ())), None)
    return url_for(
        "web.command_log",
        type=only if only in kernel.registry.commands else None,
        outcome=outcome,
        since=_text(start),
        until=_text(end),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the axis, written once for all charts of the same time."""

    start: datetime
    label: str
    tick: str
    mark: str


def _axis(history: History) -> tuple[Step, ...]:
    formats, zone = formats_of(services.settings.locale), shown_zone()
    count = len(history.lines[0].values) if history.lines else 0
    marked = _marks(history)
    return tuple(
        Step(
            start,
            formats.when(start, zone),
            _tick(formats, start, history.seconds),
            ", ".join(marked.get(start, ())),
        )
        for start in history.steps[:count]
    )


def _shown(
    statistic: Statistic,
    history: History,
    last: Span,
    axis: Sequence[Step],
    only: str = "",
) -> Shown:
    text = partial(text_of, statistic.unit)
    zoom = _zoom(statistic, last, history.seconds, only)
    slots = [Slot(each.label, each.tick, zoom(each.start), each.mark) for each in axis]
    labels = message_labels()

    def name_of(line: StatisticLine) -> str:
        return labels.get(line.label, line.label) or statistic.title

    drawn = [Series(name_of(line), line.values, text) for line in history.lines[:DRAWN]]
    values = history.lines[0].values if history.lines else ()
    known = [value for value in values if value is not None]
    top = 1.0 if statistic.unit == "share" else 0.0
    return Shown(
        statistic,
        line_chart(statistic.title, slots, *drawn, top=top),
        text(known[-1] if known else None),
        text(max(known, default=None)),
        url_for("web.statistics", name=statistic.name, last=last),
        [(line.label, *_ends(line, text)) for line in history.lines],
    )


def _ends(line: StatisticLine, text: Callable[[float | None], str]) -> tuple[str, str]:
    known = [value for value in line.values if value is not None]
    return text(known[-1] if known else None), text(max(known, default=None))


def _marks(history: History) -> dict[datetime, list[str]]:
    """Start of a step -> the texts of what began in it."""
    found: dict[datetime, list[str]] = {}
    length = timedelta(seconds=history.seconds)
    for mark in history.marks:
        for start in history.steps:
            if start <= mark.start < start + length:
                found.setdefault(start, []).append(_mark_text(mark))
    return found


def _mark_text(mark: Mark) -> str:
    if mark.kind == "release":
        return f"Release {mark.text}"
    return PROBLEM_WORDS.get(mark.text, mark.text.replace("_", " ").capitalize())


def _zoom(statistic: Statistic, last: Span, seconds: int, only: str) -> Callable[[datetime], str]:
    """From the start of a step to a closer look at it, or to the rows in it where there is none."""
    length, place = timedelta(seconds=seconds), NAMES.index(last)
    if place == 0:
        return lambda start: rows_behind(statistic, only, start, start + length)
    closer, now = NAMES[place - 1], datetime.now(UTC)
    address = url_for("web.statistics", name=statistic.name, last=closer, only=only or None)
    half = (length + SPANS[closer]) / 2
    return lambda start: f"{address}&until={_text(min(start + half, now))}"


def _tick(formats: Formats, start: datetime, seconds: int) -> str:
    local = start.astimezone(shown_zone())
    return formats.day(local.date(), "MMMd") if seconds >= 3_600 else f"{local:%H:%M}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
