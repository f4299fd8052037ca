"""What Home shows of orders: what waits, what today brought, the trends."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import request, url_for

from cqrs_app.areas.desk.queries.figures import Figure, OrdersByStage, TodayFigures
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
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


def waiting() -> dict[str, Any]:
    answer = ask(OrdersByStage())
    figures = {figure.stage: figure for figure in answer.value}
    return {
        "answer": answer,
        "cards": [
            {"figure": figures[stage], "url": _oldest_first(stage)} for stage in NEEDS_ACTION
        ],
    }


def _oldest_first(stage: OrderStage) -> str:
    """The orders that are counted."""
    return url_for("web.orders", stage=stage.value, imported=0, sort="placed_at", descending=0)


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
