"""What Home shows of orders: what waits, what today brought, the trends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import request, url_for

from cqrs_app.areas.desk.queries.figures import (
    LATELY,
    AgeFigure,
    Figure,
    OrdersByStage,
    TodayFigures,
    WaitingByAge,
)
from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.interfaces.web.areas.orders.trends import shown_trends
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.zones import business_day

COUNTED = ("placed", "approved", "held", "shipped", "delivered", "cancelled")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of work today and the day before; `currency` is empty for a plain count."""

    label: str
    currency: str
    today: Decimal | int
    before: Decimal | int


@dataclass(frozen=True, slots=True)
class Age:
    """How many orders of a stage have waited for so many days, and where they are listed."""

    label: str
    orders: int
    url: str


def waiting() -> dict[str, Any]:
    answer, day = ask(OrdersByStage()), business_day()
    figures = {figure.stage: figure for figure in answer.value}
    return {
        "answer": answer,
        "cards": [
            {"figure": figures[age.stage], "url": _oldest_first(age.stage), "ages": _ages(age, day)}
            for age in ask(WaitingByAge(day=day)).value
        ],
    }


def _oldest_first(stage: OrderStage, **placed: date) -> str:
    """The orders that are counted."""
    listed = {"stage": stage.value, "imported": 0, "sort": "placed_at", "descending": 0}
    return url_for("web.orders", **listed, **placed)  # type: ignore[arg-type]


def _ages(age: AgeFigure, day: date) -> list[Age]:
    since, yesterday = day - LATELY, day - timedelta(days=1)
    days: tuple[tuple[str, int, dict[str, date]], ...] = (
        ("Today", age.today, {"placed_from": day}),
        ("1\N{EN DASH}3 days", age.lately, {"placed_from": since, "placed_to": yesterday}),
        ("Older", age.earlier, {"placed_to": since - timedelta(days=1)}),
    )
    return [Age(label, orders, _oldest_first(age.stage, **when)) for label, orders, when in days]


def today() -> dict[str, Any]:
    answer = ask(TodayFigures(day=business_day()))
    return {"answer": answer, "rows": _compared(answer.value), "day": business_day()}


def _compared(figures: tuple[Figure, ...]) -> list[Comparison]:
    rows = []
    for what in COUNTED:
        some = [each for each in figures if each.what == what]
        counts = sum(each.count for each in some), sum(each.count_before for each in some)
        rows.append(Comparison(what.capitalize(), "", *counts))
        if what == "placed":
            rows += [
                Comparison("Placed, value", each.currency, each.value, each.value_before)
                for each in some
            ]
    return rows


def trends() -> dict[str, Any]:
    return shown_trends(request.args.get("by", ""), business_day())
