"""Pages in the shop's locale, and times in the zone that an operator chose."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, client_in

WIDE = "\N{NO-BREAK SPACE}"


def place(console: Flask, order_id: str, price: str, **more: Any) -> None:
    kernel = services_of(console).kernel
    line = {"sku": "S1", "quantity": 1, "unit_price": price}
    fields = {"order_id": order_id, "country": "DE", "currency": "EUR", "lines": [line]} | more
    context = Context(actor=Actor("test", frozenset({"orders.place"})), channel="cli")
    kernel.commands.execute(parse(PlaceOrder, fields), context)
    catch_up(kernel, "read")


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.text


@pytest.fixture
def german(make_console: MakeConsole) -> Flask:
    console = make_console(locale="de_DE", timezone="Europe/Berlin")
    console.config["WTF_CSRF_ENABLED"] = False
    return console


def test_pages_write_amounts_and_countries_as_the_locale_does(german: Flask) -> None:
    place(german, "G1", "1234.5")
    client = client_in(german, "admin")
    for path in ("/orders", "/orders/G1", "/reports"):
        page = text_of(client, path)
        assert "1.234,50" in page, path
        assert "1,234.50" not in page, path
        assert "Deutschland" in page, path
    assert f"EUR{WIDE}1.234,50" in text_of(client, "/orders/G1")  # in the timeline


def test_programs_get_a_point_and_english_names_whatever_the_locale(german: Flask) -> None:
    place(german, "G1", "1234.5")
    [head, row] = client_in(german, "admin").get("/exports/ListOrders.csv").text.splitlines()
    values = dict(zip(head.split(","), row.split(","), strict=True))
    assert (values["total"], values["country"]) == ("1234.50", "Germany")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", values["placed_at"])


def test_a_decimal_comma_is_understood_in_forms_and_filters(german: Flask) -> None:
    client = client_in(german, "admin")
    given = {
        "command_id": "typed-in-german",
        "order_id": "GERMAN-2",
        "country": "Deutschland",
        "currency": "EUR",
        "lines-0-sku": "S1",
        "lines-0-quantity": "2",
        "lines-0-unit_price": "1.234,5",
    }
    answer = client.post("/commands/PlaceOrder", data=given)
    assert answer.status_code in (200, 303), answer.text
    kernel = services_of(german).kernel
    catch_up(kernel, "read")
    assert "2.469,00" in text_of(client, "/orders/GERMAN-2")
    assert "GERMAN-2" in text_of(client, "/orders?min_total=2.468,99&country=deutschland")
    assert "GERMAN-2" not in text_of(client, "/orders?min_total=2.469,01").split("<main")[1]
    page = text_of(client, "/orders?min_total=2.468,99&country=deutschland")
    [address] = re.findall(r'href="(/exports/ListOrders\.csv\?[^"]*)"', page)
    assert "min_total=2468.99" in address  # a program's number
    assert len(text_of(client, address.replace("&amp;", "&")).splitlines()) == 2
    wrong = client.post("/commands/PlaceOrder", data=given | {"lines-0-unit_price": "12.50"})
    assert wrong.status_code == 422
    assert "Enter a number, e.g. 12,50." in wrong.text
    assert 'value="12.50"' in wrong.text  # as it was typed


def test_an_operator_chooses_the_zone_of_times(german: Flask) -> None:
    place(german, "G1", "5")
    client = client_in(german, "operator")
    assert "Times in Europe/Berlin" in text_of(client, "/orders")
    assert client.post("/account", data={"timezone": "Asia/Tokyo"}).status_code == 303
    page = text_of(client, "/orders")
    assert "Times in Asia/Tokyo" in page
    [placed] = services_of(german).kernel.store.events_of("order-G1")
    there = placed.occurred_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{there:%H:%M}" in page
    assert "Times in Europe/Berlin" in text_of(client_in(german, "viewer"), "/orders")
    assert client.post("/account", data={"timezone": ""}).status_code == 303
    assert "Times in Europe/Berlin" in text_of(client, "/orders")


def test_a_zone_that_is_none_is_refused_with_a_sentence_and_changes_nothing(german: Flask) -> None:
    client = client_in(german, "operator")
    answer = client.post("/account", data={"timezone": "Mars/Base"})
    assert answer.status_code == 422
    assert "There is no time zone &#39;Mars/Base&#39;." in answer.text
    assert services_of(german).accounts.get("operator").timezone == ""
