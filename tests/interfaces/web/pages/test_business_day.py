"""The business day is the shop's: in filters, figures, reports and exports, on days of 23 and of 25
hours too."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from cqrs_app.areas.desk.queries.best import TopProducts
from cqrs_app.areas.desk.queries.credit_notes import ListCreditNotes
from cqrs_app.areas.desk.queries.figures import OrdersByDay, TodayFigures
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.queries.revenue import RevenueReport
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import AddOrderNote, PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.types import CreditedLine, OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.runtime.command_log import FailedToday, ListCommands
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import client_in

ADMIN = Actor("test", ROLES["admin"] | {"history.record"})
BERLIN, ANGELES = "Europe/Berlin", "America/Los_Angeles"
SHORT, LONG = date(2026, 3, 29), date(2026, 10, 25)
"""The days of 23 and of 25 hours in Berlin."""
SHORT_THERE, LONG_THERE = date(2026, 3, 8), date(2026, 11, 1)
"""Those in Los Angeles, where a day ends when it has long ended in UTC."""


def do(console: Flask, command: Command, at: datetime) -> None:
    context = Context(actor=ADMIN, channel="cli", occurred_at=at)
    services_of(console).kernel.commands.execute(command, context)


def ask(console: Flask, query: Query) -> Any:
    return services_of(console).kernel.queries.ask(query, QueryContext(actor=ADMIN)).value


def catch_up(console: Flask) -> None:
    runner = services_of(console).kernel.runner
    for name in services_of(console).kernel.registry.projections:
        runner.advance(name)


def with_an_order_every_half_hour(console: Flask, day: date, zone: str = BERLIN) -> Counter[date]:
    """Orders and credit notes around that day; how many are on each of the shop's days."""
    begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    first = begins.astimezone(UTC) - timedelta(hours=5)
    days = Counter[date]()
    for number in range(72):
        at = first + timedelta(minutes=30 * number)
        line = OrderLine(sku="S1", quantity=1, unit_price=Decimal(2))
        order = PlaceOrder(order_id=f"A{number}", country="DE", currency="EUR", lines=(line,))
        do(console, order, at)
        credited = CreditedLine(sku="S1", quantity=1, unit_price=Decimal(1))
        note = RecordCreditNote(
            credit_note_id=f"C{number}", country="DE", currency="EUR", lines=(credited,)
        )
        do(console, note, at)
        days[at.astimezone(ZoneInfo(zone)).date()] += 1
    catch_up(console)
    return days


@pytest.mark.parametrize(
    ("zone", "day", "half_hours"),
    [
        (BERLIN, SHORT, 46),
        (BERLIN, LONG, 50),
        (ANGELES, SHORT_THERE, 46),
        (ANGELES, LONG_THERE, 50),
    ],
)
def test_every_figure_and_list_has_the_days_of_the_shop(
    make_console: MakeConsole, zone: str, day: date, half_hours: int
) -> None:
    console = make_console(timezone=zone)
    days = with_an_order_every_half_hour(console, day, zone)
    assert days[day] == half_hours
    placed = {each.day: each.orders for each in ask(console, OrdersByDay(days=3, until=max(days)))}
    revenue = {each.day: each for each in ask(console, RevenueReport(by="day")).rows}
    client = client_in(console, "admin")
    for each, count in days.items():
        period: dict[str, Any] = {"day_from": each, "day_to": each}
        listed = ask(console, ListOrders(placed_from=each, placed_to=each, limit=100)).rows
        assert len(listed) == placed[each] == count
        assert (revenue[each].orders, revenue[each].credit_notes) == (count, count)
        assert len(ask(console, ListCreditNotes(**period, limit=100)).rows) == count
        assert ask(console, TopProducts(**period)).rows[0].units == count
        [figure] = [f for f in ask(console, TodayFigures(day=each)) if f.what == "placed"]
        assert figure.count == count
        export = client.get(f"/exports/ListOrders.csv?placed_from={each}&placed_to={each}").text
        assert len(list(csv.DictReader(export.splitlines()))) == count


def test_another_time_zone_asks_for_a_rebuild_and_gets_its_days(
    make_console: MakeConsole,
) -> None:
    days = with_an_order_every_half_hour(make_console(), LONG)
    console = make_console(timezone="Europe/Berlin")
    catch_up(console)
    runner = services_of(console).kernel.runner
    failed = {
        name: cursor.error
        for name, cursor in runner.cursors("read").items()
        if cursor.state == "failed"
    }
    assert set(failed) == {"orders", "sales", "customers", "product_sales"}
    assert failed["sales"] == (
        "Its days are those of UTC, the business day is that of Europe/Berlin. "
        "Run: flask projections rebuild sales"
    )
    for name in failed:
        runner.rebuild(name, lambda done, total: None)
    assert len(ask(console, ListOrders(placed_from=LONG, placed_to=LONG, limit=100)).rows) == 50
    revenue = {each.day: each.orders for each in ask(console, RevenueReport(by="day")).rows}
    assert revenue == days


def test_the_command_log_and_its_failures_have_the_days_of_the_shop(
    make_console: MakeConsole,
) -> None:
    console = make_console(timezone="Pacific/Kiritimati")  # fourteen hours ahead
    kernel = services_of(console).kernel
    kernel.commands.execute(AddProduct(sku="S1"), Context(actor=ADMIN, channel="cli"))
    zone = ZoneInfo("Pacific/Kiritimati")
    today = datetime.now(zone).date()
    begins = datetime(today.year, today.month, today.day, tzinfo=zone)

    def counted(received: datetime) -> tuple[int, int]:
        with kernel.engines.write.begin() as connection:
            values = {"received_at": received, "outcome": "failed"}
            connection.execute(command_log.update().values(values))
        listed = ask(console, ListCommands(received_from=today, received_to=today)).rows
        return len(listed), ask(console, FailedToday())

    assert counted(begins) == (1, 1)
    assert counted(begins - timedelta(seconds=1)) == (0, 0)


def test_pages_say_which_days_they_mean_where_times_are_shown_in_another_zone(
    make_console: MakeConsole,
) -> None:
    console = make_console(timezone="Europe/Berlin")
    client = client_in(console, "admin")
    for path in ("/", "/reports", "/orders"):
        assert "Days in" not in client.get(path).text
    services_of(console).accounts.set_timezone("admin", "Asia/Tokyo")
    for path in ("/", "/reports", "/orders"):
        page = client.get(path).text
        assert "Times in Asia/Tokyo" in page, path
        assert "Days in Europe/Berlin" in page.split("<main")[1], path


def test_a_note_of_today_counts_today_in_the_shop(make_console: MakeConsole) -> None:
    console = make_console(timezone="Pacific/Kiritimati")
    client = client_in(console, "admin")
    line = OrderLine(sku="S1", quantity=1, unit_price=Decimal(2))
    order = PlaceOrder(order_id="A1", country="DE", currency="EUR", lines=(line,))
    kernel = services_of(console).kernel
    kernel.commands.execute(order, Context(actor=ADMIN, channel="cli"))
    kernel.commands.execute(
        AddOrderNote(order_id="A1", note="x"), Context(actor=ADMIN, channel="cli")
    )
    catch_up(console)
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert "EUR</span>\N{NO-BREAK SPACE}2.00" in client.get("/home/today").text
    assert (
        f"orders-{today.isoformat()}.csv"
        in (client.get("/exports/ListOrders.csv").headers["Content-Disposition"])
    )
    assert f'value="{today.isoformat()}"' in client.get("/reports").text
