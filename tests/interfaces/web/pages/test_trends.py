"""Trends on Home: orders, approvals and revenue, drawn and as a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.desk.queries.figures import DayFigure, Money
from cqrs_app.interfaces.web.areas.orders.trends import SPANS, Trend, trends_of
from cqrs_app.interfaces.web.formats import formats_of

FIRST = date(2026, 1, 5)


@pytest.fixture
def shop(shared_shop: Flask) -> Flask:
    return shared_shop


@pytest.mark.parametrize(("by", "slots"), [("day", 30), ("week", 12), ("century", 30)])
def test_each_slot_leads_to_its_orders_and_the_table_says_what_is_drawn(
    client_of: Callable[[str], FlaskClient], by: str, slots: int
) -> None:
    client = client_of("viewer")
    found = BeautifulSoup(client.get(f"/home/trends?by={by}").text, "html.parser")
    charts = found.select("figure")
    assert [len(chart.select("rect")) for chart in charts] == [slots] * 3
    rows = found.select("tbody tr")
    assert len(rows) == slots
    newest, (placed, *_) = rows[0].select("th a")[0], rows[0].select("td")
    drawn = charts[0].select("svg a")[-1]
    assert drawn["href"] == newest["href"]
    assert drawn.text.strip() == f"{newest.text}\nOrders placed: {placed.text}"
    listed = BeautifulSoup(client.get(str(newest["href"])).text, "html.parser")
    assert len(listed.select("[data-row]")) == min(int(placed.text), 25)


def test_home_keeps_the_span_that_was_chosen(client_of: Callable[[str], FlaskClient]) -> None:
    home = BeautifulSoup(client_of("viewer").get("/?by=week").text, "html.parser")
    (panel,) = home.select("#home-trends")
    assert panel["hx-get"] == "/home/trends?by=week"
    assert [link.text for link in panel.select("[aria-current]")] == ["Weeks"]


def trends(shop: Flask, by: str, figures: Callable[[int], DayFigure]) -> dict[str, Trend]:
    """By name; `figures` are those of each day, counted from the first of the time before."""
    span = SPANS[by]
    days = [figures(number) for number in range(2 * span.days * span.count)]
    with shop.test_request_context():
        found = trends_of(days, span, formats_of("en_GB"))
    return {trend.chart.series[0].name: trend for trend in found}


def day(number: int, placed: int = 0, approved: int = 0, **revenue: int) -> DayFigure:
    money = tuple(Money(currency, Decimal(amount)) for currency, amount in revenue.items())
    return DayFigure(FIRST + timedelta(days=number), placed, (), approved, money)


def test_a_week_is_the_sum_of_its_days(shop: Flask) -> None:
    found = trends(shop, "week", lambda number: day(number, placed=number, EUR=2))
    assert list(found["Orders placed"].chart.series[0].values)[:2] == [
        sum(range(84, 91)),
        sum(range(91, 98)),
    ]
    assert set(found["Revenue, EUR"].chart.series[0].values) == {14}
    assert found["Orders placed"].chart.slots[0].label == "30 Mar \N{EN DASH} 5 Apr"


@pytest.mark.parametrize(
    ("before", "now", "compared"),
    [
        (10, 12, "+20% vs. previous 30 days"),
        (10, 9, "\N{MINUS SIGN}10% vs. previous 30 days"),
        (10, 10, "Same as previous 30 days"),
        (0, 10, "0 in previous 30 days"),
        (1, 11, "30 in previous 30 days"),
    ],
)
def test_a_total_is_compared_with_as_much_time_before(
    shop: Flask, before: int, now: int, compared: str
) -> None:
    found = trends(shop, "day", lambda number: day(number, approved=before if number < 30 else now))
    assert found["Orders approved"].total == str(30 * now)
    assert found["Orders approved"].change == compared


def test_currencies_are_never_added_up_and_those_of_the_most_days_come_first(shop: Flask) -> None:
    def figures(number: int) -> DayFigure:
        return day(number, EUR=5 if number % 2 else 0, GBP=7)

    found = trends(shop, "day", figures)
    assert list(found)[2:] == ["Revenue, GBP", "Revenue, EUR"]
    assert found["Revenue, GBP"].total == "210.00"
    assert found["Revenue, EUR"].total == "75.00"
