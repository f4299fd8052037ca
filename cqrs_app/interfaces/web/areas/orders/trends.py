"""Trends of the shop: orders, approvals and revenue, by day or by week, against the time before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from flask import url_for

from cqrs_app.areas.desk.queries.figures import DayFigure, OrdersByDay
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.charts import Chart, Series, Slot, bar_chart
from cqrs_app.interfaces.web.formats import MINUS, Formats, formats_of
from cqrs_app.services import services

CURRENCIES_DRAWN = 3
"""A shop with more has the revenue in the others in the table."""


@dataclass(frozen=True, slots=True)
class Span:
    """How a trend is divided: into `count` slots of `days` days, the last of which is today."""

    name: str
    days: int
    count: int
    period: str


SPANS = {
    "day": Span("Days", 1, 30, "previous 30 days"),
    "week": Span("Weeks", 7, 12, "previous 12 weeks"),
}


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart, its total, and how that differs from the total of as much time before."""

    total: str
    change: str
    chart: Chart


@dataclass(frozen=True, slots=True)
class _Measure:
    name: str
    of: Callable[[DayFigure], Decimal | int]
    text: Callable[[Any], str]

    def sum(self, days: Sequence[DayFigure]) -> Decimal | int:
        return sum(map(self.of, days))


def shown_trends(by: str, until: date) -> dict[str, Any]:
    """What the panel shows; by day where `by` is no name of a span."""
    by = by if by in SPANS else "day"
    span = SPANS[by]
    answer = ask(OrdersByDay(days=2 * span.count * span.days, until=until))
    trends = trends_of(answer.value, span, formats_of(services.settings.locale))
    return {
        "answer": answer,
        "by": by,
        "spans": SPANS,
        "drawn": trends[: 2 + CURRENCIES_DRAWN],
        "charts": [trend.chart for trend in trends],
    }


def trends_of(days: Sequence[DayFigure], span: Span, formats: Formats) -> list[Trend]:
    half = len(days) // 2
    before, now = days[:half], days[half:]
    parts = [now[at : at + span.days] for at in range(0, half, span.days)]
    slots = [_slot(part, formats) for part in parts]

    def trend(measure: _Measure) -> Trend:
        series = Series(measure.name, [measure.sum(part) for part in parts], measure.text)
        total = measure.sum(now)
        return Trend(
            measure.text(total),
            _compared(total, measure.sum(before), measure.text) + f" {span.period}",
            bar_chart(f"{measure.name}, by {span.name.lower()}", slots, series),
        )

    return [trend(each) for each in _measures(now, formats)]


def _compared(now: Decimal | int, before: Decimal | int, text: Callable[[Any], str]) -> str:
    """A total against the one before: "+12% vs.", or the one before where a share says little."""
    if now == before:
        return "Same as"
    if not before or now > 10 * before:
        return f"{text(before)} in"
    share = float((now - before) / before) * 100
    return f"{'+' if share > 0 else MINUS}{abs(share):.0f}% vs."


def _measures(days: Sequence[DayFigure], formats: Formats) -> list[_Measure]:
    """Orders, approvals, and the revenue in each currency, the one of the most days first."""
    sold = Counter(money.currency for day in days for money in day.revenue if money.amount)
    return [
        _Measure("Orders placed", lambda day: day.orders, formats.number),
        _Measure("Orders approved", lambda day: day.approved, formats.number),
        *(
            _Measure(
                f"Revenue, {currency}",
                partial(_revenue, currency=currency),
                partial(formats.amount, currency=currency),
            )
            for currency, _ in sold.most_common()
        ),
    ]


def _revenue(day: DayFigure, currency: str) -> Decimal | int:
    return next((money.amount for money in day.revenue if money.currency == currency), 0)


def _slot(days: Sequence[DayFigure], formats: Formats) -> Slot:
    first, last = days[0].day, days[-1].day
    tick = formats.day(first, "MMMd")
    label = (
        formats.day(first, "MMMEd")
        if first == last
        else f"{tick} \N{EN DASH} {formats.day(last, 'MMMd')}"
    )
    url = url_for("web.orders", placed_from=first.isoformat(), placed_to=last.isoformat())
    return Slot(label, tick, url)
