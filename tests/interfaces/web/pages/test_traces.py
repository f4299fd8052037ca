"""The trace page: reached from the log and the timeline, readable without a collector."""

from __future__ import annotations

from collections.abc import Callable

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from cqrs_app.kernel.store.tables import traces
from cqrs_app.kernel.tracing.spans import trace_id_of
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.services.browser import Violations
from tests.services.stores import on_one_database


def approve(app: Flask, client: FlaskClient, order_id: str) -> str:
    """Approve an order with its form; returns the command's id."""
    address = f"/commands/ApproveOrder?order_id={order_id}"
    form = BeautifulSoup(client.get(address).text, "html.parser").select_one("form.command-form")
    form = form or BeautifulSoup(client.get(address).text, "html.parser").select_one("main form")
    assert form
    values = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
    assert client.post(address, data=values).status_code == 303
    catch_up(app)
    kernel = services_of(app).kernel
    kernel.wake_ups.flush()
    kernel.traces.flush()
    return str(values["command_id"])


def test_the_log_entry_leads_to_the_trace(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    order_id, client = order_in(shop, "placed"), client_of("admin")
    command_id = approve(shop, client, order_id)
    entry = BeautifulSoup(client.get(f"/log/{command_id}").text, "html.parser")
    assert trace_id_of(command_id) in entry.text
    [link] = [each for each in entry.select("a") if each.text == "View trace"]
    page = BeautifulSoup(client.get(str(link["href"])).text, "html.parser")
    assert page.h1 and page.h1.text == "Trace of Approve order"
    steps = [" ".join(each.text.split()) for each in page.select("table.trace tbody th")]
    assert steps[:2] == ["POST /commands/<name>", "Approve order this action"]
    assert "process orders" in steps
    assert len(page.select("svg.trace-bar rect")) == len(steps)
    rows = {
        row.th.text: row.text for row in page.select("#reached-title ~ * tr, table tr") if row.th
    }
    assert "Read model" in rows["orders"]


def test_the_timeline_leads_to_the_trace(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    order_id, client = order_in(shop, "placed"), client_of("admin")
    command_id = approve(shop, client, order_id)
    page = BeautifulSoup(client.get(f"/orders/{order_id}").text, "html.parser")
    assert page.select(f'#timeline a[href="/log/{command_id}/trace"]')
    page = BeautifulSoup(client_of("viewer").get(f"/orders/{order_id}").text, "html.parser")
    assert not page.select('#timeline a[href$="/trace"]')


def test_an_action_without_recorded_steps_says_so(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    kernel = services_of(shop).kernel
    order_id = order_in(shop, "placed")
    command_id = kernel.store.events_of(f"order-{order_id}")[0].command_id
    with kernel.engines.write.begin() as connection:
        connection.execute(delete(traces))
    text = client_of("admin").get(f"/log/{command_id}/trace").text
    assert "No steps were recorded." in text


def test_an_unknown_action_has_no_trace(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("admin")
    assert client.get("/log/nobody-sent-this/trace").status_code == 404
    assert client_of("viewer").get("/log/nobody-sent-this/trace").status_code == 403


def test_a_page_that_fails_shows_its_trace_id(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("admin")

    def broken() -> str:
        raise LookupError

    shop.view_functions["web.command_log"] = broken
    answer = client.get("/log", headers={"traceparent": f"00-{'4b' * 16}-{'0f' * 8}-01"})
    assert answer.status_code == 500
    assert "4b" * 16 in answer.text


@on_one_database
def test_a_trace_is_found_with_three_clicks_on_a_phone(
    shop: Flask,
    client_of: Callable[[str], FlaskClient],
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
) -> None:
    order_id = order_in(shop, "placed")
    approve(shop, client_of("admin"), order_id)
    page = signed_in("admin", viewport={"width": 390, "height": 844})
    page.goto("/log")
    page.get_by_role("link", name="Approve order").first.click()
    page.get_by_role("link", name="View trace").click()
    expect(page.get_by_role("heading", name="Trace of Approve order")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert accessibility_violations(page) == []
