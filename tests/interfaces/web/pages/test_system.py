"""System: its parts on several pages, statistics as charts, and from a chart to the rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.interfaces.web.areas.system import PAGES, PANELS
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.platform.runtime.query_log import ListQueries, list_queries
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import client_in

MINUTE = timedelta(minutes=1)


@pytest.fixture
def kind() -> str:
    """How pages are put together does not depend on the database."""
    return "sqlite"


@pytest.fixture
def measured(console: Flask) -> Flask:
    """Forty commands half an hour ago, of which ten failed."""
    kernel: Kernel = services_of(console).kernel
    now = datetime.now(UTC)
    recorder = Recorder(kernel.engines.write, lambda: now - 30 * MINUTE)
    recorder.record("release", ("1.0",), 1.0)
    recorder.record("commands", ("PlaceOrder", "succeeded"), 8.0, times=30)
    recorder.record("commands", ("HoldOrder", "failed"), 80.0, times=10)
    recorder.record("lag_seconds", ("orders",), 3.0)
    recorder.close()
    RollUp(kernel.engines.write, lambda: now)()
    return console


@pytest.fixture
def client(measured: Flask) -> FlaskClient:
    return client_in(measured, "admin")


def page(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return BeautifulSoup(answer.text, "html.parser")


def highest(shown: BeautifulSoup) -> Tag:
    """The step of the chart of failed actions that has some."""
    (found,) = (
        link
        for link in shown.select("svg.chart a")
        if re.search(r"Failed actions: [1-9]", link.get_text())
    )
    return found


def test_every_panel_is_on_a_page_and_no_page_has_the_name_of_a_panel(client: FlaskClient) -> None:
    assert {panel for each in PAGES.values() for panel in each.panels} == set(PANELS)
    assert not set(PAGES) & set(PANELS)
    overview = page(client, "/system")
    links = {str(each["href"]) for each in overview.select("nav[aria-label=System] a")}
    assert links == {"/system", "/system/statistics"} | {
        f"/system/{name}" for name in PAGES if name != "overview"
    }
    for name, each in PAGES.items():
        shown = page(client, "/system" if name == "overview" else f"/system/{name}")
        for panel in each.panels:
            assert shown.select_one(f"#system-{panel}"), (name, panel)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_polls_for_itself(client: FlaskClient, panel: str) -> None:
    shown = page(client, f"/system/{panel}")
    section = shown.select_one("section")
    assert section is not None
    assert section["id"] == f"system-{panel}"
    assert str(section["hx-get"]).startswith(f"/system/{panel}")


def test_charts_have_their_figures_in_a_table_too(client: FlaskClient) -> None:
    shown = page(client, "/system/actions")
    table = shown.select_one("#system-charts table")
    assert table is not None
    text = table.get_text(" ", strip=True)
    assert "40/min" in text
    assert "10/min" in text
    assert len(table.select("tbody tr")) > 50


def test_a_chart_leads_closer_and_at_last_to_the_log(client: FlaskClient) -> None:
    address = "/system/statistics?name=commands_failed"
    for _ in range(2):
        address = str(highest(page(client, address))["href"])
    assert address.startswith("/log?outcome=failed&since=")
    given = dict(parse_qsl(urlsplit(address).query))
    since, until = (datetime.fromisoformat(given[name]) for name in ("since", "until"))
    assert until - since == timedelta(seconds=10)
    assert since <= datetime.now(UTC) - 30 * MINUTE <= until + MINUTE
    chips = page(client, address).select(".chip")
    assert [each.get_text(" ", strip=True).split()[0] for each in chips] == [
        "Outcome",
        "Since",
        "Until",
    ]


def test_the_end_of_a_chart_is_typed_and_shown_in_one_zone(
    client: FlaskClient, measured: Flask
) -> None:
    services_of(measured).accounts.set_timezone("admin", "Asia/Tokyo")
    address = "/system/statistics?name=commands&last=day"
    shown = page(client, f"{address}&until=2026-03-31T12:30")
    heading = shown.select_one("#statistic-title")
    assert heading is not None
    assert "12:30" in heading.get_text()
    links = {str(each["href"]) for each in shown.select("main a")}
    assert f"{address}&until=2026-03-30T03:30:00Z" in links
    for unusable in ("soon", "1900-01-01T00:00"):
        assert client.get(f"{address}&until={unusable}").status_code == 422


def test_one_statistic_is_split_and_narrowed_by_links(client: FlaskClient) -> None:
    shown = page(client, "/system/statistics?name=commands&last=day")
    links = {each.get_text(strip=True): str(each["href"]) for each in shown.select("table a")}
    assert {"Place order", "Hold order"} <= set(links)
    only = page(client, links["Hold order"])
    heading = only.select_one("#statistic-title")
    assert heading is not None
    assert heading.get_text(" ", strip=True) == "Hold order : Last day"
    foot = only.select(".panel-foot a")
    buttons = {each.get_text(strip=True): str(each["href"]) for each in foot}
    assert "type=HoldOrder" in buttons["See log entries"]
    assert page(client, buttons["Earlier"]).select_one("a[rel=next]")
    assert "only" not in buttons["All"]


def test_a_subscription_has_its_lag_as_a_sparkline(client: FlaskClient, measured: Flask) -> None:
    services_of(measured).kernel.runner.prepare()
    for address in ("/system", "/system/subscriptions"):
        row = next(
            each
            for each in page(client, address).select("tr")
            if each.th and each.th.get_text(" ", strip=True).startswith("orders")
        )
        spark = row.select_one("svg.spark")
        assert spark is not None
        assert spark["aria-label"] == "orders: highest lag 3 s"


def test_a_subscription_that_does_not_run_here_any_more_is_not_listed(
    client: FlaskClient, measured: Flask
) -> None:
    engines = services_of(measured).kernel.engines
    services_of(measured).kernel.runner.prepare()
    for store, engine in (("read", engines.read), ("write", engines.write)):
        with engine.begin() as connection:
            cursors_in(store).ensure(connection, {f"former_{store}": 1})
    for address in ("/system", "/system/subscriptions"):
        shown = client.get(address).text
        assert "order_timeline" in shown
        assert "former_" not in shown


def test_the_query_log_shows_questions_and_errors_without_texts(
    make_shop: MakeConsole,
) -> None:
    without = client_in(make_shop(query_log_share=0.0), "admin")
    assert "No queries logged" in without.get("/system/statistics").text
    app = make_shop(query_log_share=1.0)
    engineer = client_in(app, "admin")
    engineer.get("/orders?q=Maria+Lind")
    assert client_in(app, "operator").get("/system/statistics").status_code == 403
    services_of(app).kernel.query_log.flush()
    page = BeautifulSoup(engineer.get("/system/statistics").text, "html.parser")
    table = page.find("caption", string="Query log, latest first").parent  # type: ignore[union-attr]
    assert "ListOrders" in table.text
    assert "Maria" not in table.text
    assert "not_allowed" in table.text
    kernel = services_of(app).kernel
    kernel.query_log.flush()
    with kernel.engines.write.connect() as connection:
        logged = list_queries(ListQueries(), connection)
        assert list_queries(ListQueries(limit=2), connection) == logged[:2]
        refused = list_queries(ListQueries(errors=True), connection)
    assert len(logged) > 2
    assert refused == tuple(each for each in logged if each.code)
